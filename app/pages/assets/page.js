"use strict";
// Live updates, and what a signed-in person does here. All else works without this.
(() => {
  const main = document.getElementById("main");
  const live = document.querySelector(".live");
  const root = new URL(document.querySelector(".brand").href).pathname.replace(/\/$/, "");
  const isPast = new URLSearchParams(location.search).has("as_of");

  // What has a key is compared by its text: what differs, or was not there, is marked for a while.
  const texts = (node) => {
    const found = new Map();
    for (const each of node.querySelectorAll("[data-live-key], [data-live-row]")) {
      found.set(each.dataset.liveKey || each.dataset.liveRow, each.textContent);
    }
    return found;
  };

  // Put here by this script: the server knows nothing of it.
  const isOffered = (node) => Boolean(node.matches?.("[data-offered]"));
  const keyOf = (node) => node.id || node.dataset?.liveRow ||
    node.getAttribute?.("aria-labelledby") || (node.nodeName === "OPTION" ? node.value : "");
  // Whether it is open is for who reads it to say.
  const isFree = (node, name) => name === "open" && node.nodeName === "DETAILS";

  // Makes a node as it is by now, in place: who stands in it, writes in it or has scrolled it stays.
  function update(old, next) {
    if (old.isEqualNode(next) || old.matches?.("form[data-write]")) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = next.nodeValue;
      return;
    }
    for (const { name, value } of next.attributes) {
      if (old.getAttribute(name) !== value && !isFree(old, name)) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!next.hasAttribute(name) && !isFree(old, name)) old.removeAttribute(name);
    }
    updateChildren(old, next);
  }

  // Children with a key are found by it, others by their order.
  function updateChildren(old, next) {
    const wanted = new Set(Array.from(next.childNodes, keyOf));
    for (const each of [...old.childNodes]) {
      if (keyOf(each) && !wanted.has(keyOf(each)) && !isOffered(each)) each.remove();
    }
    const byKey = new Map(Array.from(old.childNodes, (each) => [keyOf(each), each]));
    const unnamed = [...old.childNodes].filter((each) => !keyOf(each) && !isOffered(each));
    let place = old.firstChild;
    for (const each of [...next.childNodes]) {
      let found = keyOf(each) ? byKey.get(keyOf(each)) : unnamed.shift();
      if (found && isOffered(found)) continue;
      while (place && isOffered(place)) place = place.nextSibling;
      if (!found) {
        old.insertBefore(each, place);
      } else {
        if (found !== place) old.insertBefore(found, place);
        else place = place.nextSibling;
        if (found.nodeName === each.nodeName) update(found, each);
        else found.replaceWith(each);
      }
    }
    for (const each of unnamed) each.remove();
  }

  async function refresh() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.getElementById("main");
    if (!next || next.dataset.position === main.dataset.position) return;
    const before = texts(main), focused = document.activeElement;
    update(main, next);
    update(document.querySelector(".foot"), fresh.querySelector(".foot"));
    // What was moved has lost it.
    if (focused.isConnected) focused.focus({ preventScroll: true });
    for (const each of main.querySelectorAll("[data-live-key], [data-live-row]")) {
      const key = each.dataset.liveKey || each.dataset.liveRow;
      if (before.get(key) !== each.textContent) each.classList.add("changed");
    }
    offerWriting();
    live.textContent = live.dataset.live;
    setTimeout(() => {
      live.textContent = "";
      for (const each of main.querySelectorAll(".changed")) each.classList.remove("changed");
    }, 6000);
  }

  let waiting = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh().catch(() => {}), 400);
  }

  if (main && main.dataset.position && !isPast && live && "EventSource" in window) {
    let stream;
    const listen = () => {
      stream = new EventSource(`${root}/changes/stream?since=${main.dataset.position}`);
      stream.addEventListener("change", soon);
      stream.addEventListener("gone", soon);
    };
    const open = () => { if (!document.hidden && (!stream || stream.readyState === 2)) listen(); };
    // A page that nobody looks at holds no stream open.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && stream) stream.close();
      else open();
    });
    addEventListener("pagehide", () => stream && stream.close());
    open();
  }

  // The key is kept for this tab, never in an address.
  const KEY = "trade-missions-key";

  async function send(method, path, body, headers = {}) {
    const answer = await fetch(root + path, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json",
        Authorization: `Bearer ${sessionStorage.getItem(KEY)}`, ...headers },
      body: JSON.stringify(body),
    }).catch(() => { throw new Error(main.dataset.unanswered); });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({ detail: answer.statusText }));
    if (answer.status === 401 || answer.status === 403) {
      sessionStorage.removeItem(KEY);
      throw new Error(main.dataset.refused);
    }
    const isOther = problem.errors?.some((each) => each.code === "idempotency_key");
    throw isOther ? new StoredAlready(main.dataset.stored) : new Error(problem.detail);
  }

  class StoredAlready extends Error {}

  // What a form sends is stored once, however often an answer is lost on its way.
  async function create(form, path, body) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    form.dataset.once ||= Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
    try {
      return await send("POST", path, body, { "Idempotency-Key": form.dataset.once });
    } catch (error) {
      if (error instanceof StoredAlready) {
        delete form.dataset.once;
        soon();
      }
      throw error;
    }
  }

  const hasKey = () => Boolean(sessionStorage.getItem(KEY));

  function showKeyFields() {
    for (const each of document.querySelectorAll("[data-key-field]")) {
      each.hidden = hasKey();
      // What nobody sees is not asked for.
      for (const input of each.querySelectorAll("input")) input.disabled = hasKey();
    }
    for (const each of document.querySelectorAll("[data-citations] > button")) each.hidden = !hasKey();
  }

  const taken = new WeakSet();

  // What is written is sent by `write`, once at a time; what is wrong is said in the form.
  function takeOver(form, write) {
    if (taken.has(form)) return;
    taken.add(form);
    const told = form.querySelector("[data-problem]");
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.ariaDisabled) return;
      const given = Object.fromEntries(new FormData(form));
      if (given.key) sessionStorage.setItem(KEY, given.key.trim());
      if (form.elements.key) form.elements.key.value = "";
      told.textContent = "";
      // Disabled it would lose the focus.
      button.ariaDisabled = "true";
      try {
        await write(form, given);
      } catch (error) {
        told.textContent = error.message;
      }
      button.ariaDisabled = null;
      showKeyFields();
    });
  }

  function offer(id, write, prepare = () => {}) {
    const template = document.getElementById(id);
    if (!template) return null;
    const isThere = template.nextElementSibling && isOffered(template.nextElementSibling);
    if (!isThere) template.after(template.content.cloneNode(true));
    const form = template.nextElementSibling.querySelector("form");
    takeOver(form, write);
    if (!isThere) prepare(form);
    return form;
  }

  async function writeReceipt(form, given) {
    const made = await create(form, "/receipts", { url: given.url, note: given.note || null });
    const page = new URL(form.action);
    page.pathname = `${root}/pages/receipts/${made.id}`;
    location.assign(page);
  }

  // What is shown to whoever may write is asked for with the key.
  async function showDuplicates() {
    const place = document.getElementById("duplicates");
    if (!place || !hasKey()) return;
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html", Authorization: `Bearer ${sessionStorage.getItem(KEY)}` },
    });
    if (answer.status === 401) sessionStorage.removeItem(KEY);
    if (!answer.ok) throw new Error(place.dataset.refused);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = fresh.getElementById("duplicates");
    if (!found || found.dataset.refused) throw new Error(place.dataset.refused);
    found.dataset.offered = "";
    if (isOffered(place)) updateChildren(place, found);
    else place.replaceWith(found);
  }

  const [GROUP, POINT] = document.documentElement.lang === "en" ? [",", "."] : ["\u202f", ","];
  const withSigns = (whole, part = "") =>
    whole.replace(/\B(?=(\d{3})+$)/g, GROUP) + (part && POINT + part);

  // A number as people write it, as the API takes it and as it is shown. What can be read in two
  // ways is not guessed: three digits after a comma are thousands in English alone.
  function readAmount(text, words) {
    const digits = text.trim().replace(/(\d)[\s'\u2019](?=\d{3}(?!\d))/g, "$1");
    const grouped = /^\d{1,3}(?:(?:,\d{3})+(?:\.\d+)?|(?:\.\d{3})+(?:,\d+)?)$/.test(digits);
    const signs = digits.replace(/\d/g, "");
    let [whole, part] = [digits, ""];
    if (grouped && signs.length > 1) {
      const isMixed = new Set(signs).size > 1;
      const last = isMixed ? digits.lastIndexOf(signs.at(-1)) : digits.length;
      [whole, part] = [digits.slice(0, last).replace(/[.,]/g, ""), digits.slice(last + 1)];
    } else if (signs.length === 1) {
      [whole, part] = digits.split(signs);
      if (grouped && !whole.startsWith("0")) {
        if (signs !== GROUP) {
          const fraction = part.endsWith("0") ? part.replace(/0+$/, "") : `${part}0`;
          throw new Error(words.either.replace("{text}", text)
            .replace("{whole}", withSigns(whole + part))
            .replace("{part}", withSigns(whole, fraction || "0")));
        }
        [whole, part] = [whole + part, ""];
      }
    }
    if (!/^\d([\d.,]*\d)?$/.test(digits) || !/^\d+$/.test(whole + part)) {
      throw new Error(words.none.replace("{text}", text).replace("{example}", withSigns("1250", "50")));
    }
    return { number: part ? `${whole}.${part}` : whole, told: withSigns(whole, part) };
  }

  // Before it is sent, what is written is shown as it is read.
  function showAmount(form) {
    const { actual_amount: amount, currency } = form.elements;
    const place = form.querySelector("[data-read]");
    const show = (isDone) => {
      place.textContent = "";
      if (!amount.value.trim()) return;
      try {
        const { told } = readAmount(amount.value, place.dataset);
        const whole = `${told} ${currency.value.trim().toUpperCase()}`.trim();
        place.textContent = place.dataset.read.replace("{amount}", whole);
      } catch (error) {
        if (isDone) place.textContent = error.message;
      }
    };
    for (const each of [amount, currency]) {
      each.addEventListener("input", () => show(false));
      each.addEventListener("change", () => show(true));
    }
    form.addEventListener("reset", () => { place.textContent = ""; });
  }

  async function writeOutcome(form, given) {
    const body = { agreement_id: form.closest("[data-agreement]").dataset.agreement };
    for (const name of ["date", "status", "note"]) {
      if (given[name].trim()) body[name] = given[name].trim();
    }
    if (given.actual_amount.trim()) {
      const { dataset } = form.querySelector("[data-read]");
      // As text: every digit stays.
      body.actual_amount = readAmount(given.actual_amount, dataset).number;
      body.currency = given.currency.trim().toUpperCase();
    }
    if (Object.keys(body).length === 1) throw new Error(form.dataset.empty);
    await create(form, "/outcomes", body);
    delete form.dataset.once;
    form.reset();
    soon();
  }

  async function markChecked(passage, button, told) {
    const now = new Date();
    const two = (number) => String(number).padStart(2, "0");
    const checked = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    button.disabled = true;
    try {
      for (const id of passage.dataset.citations.split(",")) {
        await send("PATCH", `/citations/${id}`, { checked }, { "If-Match": "*" });
      }
      soon();
    } catch (error) {
      told.textContent = error.message;
      told.closest("details").open = true;
      showKeyFields();
    }
    button.disabled = false;
  }

  function offerWriting() {
    for (const form of document.querySelectorAll("form[data-write=receipt]")) {
      takeOver(form, writeReceipt);
    }
    if (isPast) return showKeyFields();
    offer("write-duplicates", showDuplicates);
    showDuplicates().catch(() => {});
    offer("write-outcome", writeOutcome, showAmount);
    const checking = offer("write-checked", async () => {});
    const mark = document.getElementById("mark-checked");
    for (const passage of checking ? document.querySelectorAll("[data-citations]") : []) {
      if (passage.querySelector("button")) continue;
      const button = mark.content.firstElementChild.cloneNode(true);
      const told = checking.querySelector("[data-problem]");
      button.addEventListener("click", () => markChecked(passage, button, told));
      passage.append(button);
    }
    showKeyFields();
  }
  offerWriting();
})();
