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

  const isWriting = () => {
    const form = document.activeElement && document.activeElement.closest("form");
    return Boolean(form && main.contains(form));
  };

  async function refresh() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.getElementById("main");
    if (!next || next.dataset.position === main.dataset.position) return;
    const before = texts(main);
    const opened = Array.from(main.querySelectorAll("details"), (each) => each.open);
    main.replaceChildren(...next.childNodes);
    main.dataset.position = next.dataset.position;
    main.querySelectorAll("details").forEach((each, at) => { each.open = opened[at] ?? each.open; });
    const foot = fresh.querySelector(".foot");
    if (foot) document.querySelector(".foot").replaceWith(foot);
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
    waiting = setTimeout(() => (isWriting() ? soon() : refresh().catch(() => {})), 400);
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
    });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({ detail: answer.statusText }));
    if (answer.status === 401 || answer.status === 403) {
      sessionStorage.removeItem(KEY);
      throw new Error(main.dataset.refused);
    }
    throw new Error(problem.detail);
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

  // What is written is sent by `write`; what is wrong is said in the form.
  function takeOver(form, write) {
    const told = form.querySelector("[data-problem]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = Object.fromEntries(new FormData(form));
      if (given.key) sessionStorage.setItem(KEY, given.key.trim());
      if (form.elements.key) form.elements.key.value = "";
      told.textContent = "";
      try {
        await write(form, given);
      } catch (error) {
        told.textContent = error.message;
      }
      showKeyFields();
    });
    return told;
  }

  function offer(id, write) {
    const template = document.getElementById(id);
    if (!template) return null;
    template.after(template.content.cloneNode(true));
    return takeOver(template.nextElementSibling.querySelector("form"), write);
  }

  async function writeReceipt(form, given) {
    const made = await send("POST", "/receipts", { url: given.url, note: given.note || null });
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
    place.replaceWith(found);
  }

  async function writeOutcome(form, given) {
    const body = { agreement_id: form.closest("[data-agreement]").dataset.agreement };
    for (const name of ["date", "status", "note"]) if (given[name]) body[name] = given[name];
    if (given.actual_amount) {
      // As text: every digit stays.
      body.actual_amount = given.actual_amount.replace(/[\s\u00a0\u202f]/g, "").replace(",", ".");
      body.currency = given.currency.toUpperCase();
    }
    await send("POST", "/outcomes", body);
    form.reset();
    document.activeElement.blur();
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
      button.disabled = false;
      told.textContent = error.message;
      told.closest("details").open = true;
      showKeyFields();
    }
  }

  function offerWriting() {
    for (const form of document.querySelectorAll("form[data-write=receipt]")) {
      takeOver(form, writeReceipt);
    }
    if (isPast) return showKeyFields();
    offer("write-duplicates", showDuplicates);
    showDuplicates().catch(() => {});
    offer("write-outcome", writeOutcome);
    const told = offer("write-checked", async () => {});
    const mark = document.getElementById("mark-checked");
    for (const passage of told ? document.querySelectorAll("[data-citations]") : []) {
      const button = mark.content.firstElementChild.cloneNode(true);
      button.addEventListener("click", () => markChecked(passage, button, told));
      passage.append(button);
    }
    showKeyFields();
  }
  offerWriting();
})();
