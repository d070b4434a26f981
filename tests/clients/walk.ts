// Uses the API through a client that was generated from its document, and prints what it saw.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
type Problem = components["schemas"]["Problem"];
type NewAgreement = components["schemas"]["AgreementTree"];

const [address, key] = process.argv.slice(2);
if (address === undefined || key === undefined) throw new Error("give the address and a key");
const headers = { Authorization: `Bearer ${key}` };
const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: address, headers });

function agreement(mission: string, title: string, amount: number, currency: "USD" | "KZT" | "EUR") {
  const body: NewAgreement = {
    title,
    mission_id: mission,
    instrument: "supply_contract",
    amount,
    currency,
    parties: [{ role: "supplier", description: "A maker of cables" }],
  };
  return client.POST("/agreements", { body, params: { header: { "Idempotency-Key": `ts-${title}` } } });
}

function told(error: Problem | undefined) {
  if (error === undefined) throw new Error("a problem was expected");
  return { status: error.status, detail: error.detail, pointers: error.errors.map((e) => e.pointer) };
}

const made = await client.POST("/missions", {
  body: { title: "A mission of a generated client", kind: "outward_mission", host_country: "RU" },
});
const mission = made.data?.id;
if (mission === undefined) throw new Error(JSON.stringify(made.error));

for (const [at, currency] of (["USD", "KZT", "USD", "EUR", "KZT", "USD", "USD"] as const).entries()) {
  const { error } = await agreement(mission, `Supply ${at}`, (at + 1) * 100, currency);
  if (error) throw new Error(error.detail);
}

const titles: string[] = [];
let pages = 0;
let cursor: string | null | undefined;
do {
  const query: NonNullable<paths["/agreements"]["get"]["parameters"]["query"]> = {
    mission_id: mission,
    amount__gte: 200,
    currency__in: ["USD", "KZT"],
    instrument: "supply_contract",
    sort: ["-amount", "title"],
    limit: 2,
    ...(cursor ? { cursor } : {}),
  };
  const { data, error } = await client.GET("/agreements", { params: { query } });
  if (error) throw new Error(error.detail);
  titles.push(...data.data.map((found) => found.title.trim()));
  cursor = data.page.next_cursor;
  pages += 1;
} while (cursor);

// @ts-expect-error: a filter takes only the words that its field has.
await client.GET("/missions", { params: { query: { kind: "holiday" } } });
// @ts-expect-error: there is no such filter.
await client.GET("/missions", { params: { query: { kindness: "great" } } });

const read = await client.GET("/missions/{key}", { params: { path: { key: mission } } });
const tag = read.response.headers.get("ETag") ?? "";
const guarded = { path: { key: mission }, header: { "If-Match": tag } };
const changed = await client.PATCH("/missions/{key}", { params: guarded, body: { status: "cancelled" } });
const stale = await client.PATCH("/missions/{key}", { params: guarded, body: { status: "planned" } });
const wrong = await client.POST("/agreements", {
  body: { title: "No currency", instrument: "announced_plan", amount: 5 },
});

console.log(
  JSON.stringify({
    titles,
    pages,
    changed: [changed.response.status, changed.data?.status, changed.data?.version],
    stale: told(stale.error),
    wrong: told(wrong.error),
  }),
);
