// Uses OData through three clients of JavaScript, and prints what it saw.
import client from "@odata/client";
import { o } from "odata";
import csdl from "odata-csdl";

const [root] = process.argv.slice(2);
const { OData } = client;
const service = OData.New4({ metadataUri: `${root}$metadata`, serviceEndpoint: root });
const set = service.getEntitySet("agreements");
const signed = OData.newFilter().field("ref").eq("'nobel-katren-supply'");
const [row] = await set.query(OData.newParam().filter(signed));
const again = await set.retrieve(row.id);
const count = await set.count(signed);

const query = { $filter: "ref eq 'nobel-katren-supply'", $select: "title,amount" };
const [other] = await o(root).get("agreements").query(query);
const flat = await o(root).get("flat_agreement_parties").query({ $top: 3 });

const messages = [];
const document = await (await fetch(`${root}$metadata`)).text();
const model = csdl.xml2json(document, { messages });
console.log(
  JSON.stringify({
    client: [row.title, again.amount, count],
    o: [other.title, other.amount, flat.length],
    csdl: [messages, Object.keys(model.TradeMissions.Records).includes("flat_missions")],
  }),
);
