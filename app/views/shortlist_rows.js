// The rows of a shortlist. What somebody does goes into an outbox and stays there until the page has
// said that it is done: of two clicks in one breath Streamlit would deliver the second alone.
// Words from files and people reach the document as text and values, never as markup.
const memory = new WeakMap();

export default function ({ data, parentElement: root, setStateValue }) {
  let view = memory.get(root);
  if (!view) memory.set(root, (view = begin(root)));
  view.send = (acts) => setStateValue("outbox", { client: view.client, acts });
  view.latest = data;
  if (!view.drag) draw(view, data);
}

function begin(root) {
  const view = {
    root, rows: new Map(), outbox: [], last: 0, drag: null, list: null, sent: 0,
    client: Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("-"),
    list_element: root.querySelector(".rows"),
    template: root.querySelector("template"),
    said: root.querySelector(".said"),
    status: root.querySelector(".status"),
    takeBack: root.querySelector(".take-back"),
  };
  view.takeBack.onclick = () => act(view, { kind: "undo" });
  return view;
}

function act(view, what) {
  view.last += 1;
  view.outbox.push({ ...what, list: view.latest.list, seq: view.last });
  post(view);
  return view.last;
}

function post(view) {
  view.sent = Date.now();
  view.send(view.outbox);
}

function draw(view, data) {
  const done = data.done[view.client] ?? 0;
  view.outbox = view.outbox.filter((one) => one.seq > done);
  // A message that was overtaken by the drawing of the page is sent once more.
  if (view.outbox.length && Date.now() - view.sent > 1000) post(view);
  const wanted = new Set(data.items.map((item) => item.id));
  for (const [id, row] of view.rows) {
    if (wanted.has(id)) continue;
    if (row.list === data.list && isTyping(view, row.note, done)) {
      row.tell("Removed by somebody else; what you type stays here until you leave it.", true);
      continue;
    }
    row.element.remove();
    view.rows.delete(id);
  }
  const focused = view.root.activeElement;
  const caret = focused?.selectionStart;
  let before = null;
  for (const item of [...data.items].reverse()) {
    let row = view.rows.get(item.id);
    if (!row) view.rows.set(item.id, (row = makeRow(view, item.id)));
    fill(view, row, item, data, done);
    if (row.element.parentNode !== view.list_element || row.element.nextElementSibling !== before)
      view.list_element.insertBefore(row.element, before);
    before = row.element;
  }
  if (focused?.isConnected && view.root.activeElement !== focused) {
    focused.focus({ preventScroll: true }); // moving an element takes its focus away
    if (caret != null && focused.tagName === "INPUT") focused.setSelectionRange(caret, caret);
  }
  view.said.textContent = data.said;
  view.status.classList.toggle("bad", data.is_trouble);
  view.takeBack.hidden = !data.offers_undo;
}

// A field that somebody is in, or whose words are under way, is not overwritten.
function isTyping(view, field, done) {
  const isIn = view.root.activeElement === field && field.value !== field.dataset.shown;
  return isIn || Number(field.dataset.seq ?? 0) > done;
}

function show(view, field, value, done) {
  if (isTyping(view, field, done)) return;
  if (field.value !== value) field.value = value;
  field.dataset.shown = value;
}

function makeRow(view, id) {
  const element = view.template.content.firstElementChild.cloneNode(true);
  const find = (selector) => element.querySelector(selector);
  const row = { id, element, find, note: find(".note") };
  element.dataset.id = id;
  row.tell = (words, bad) => {
    find(".aside").textContent = words;
    find(".aside").classList.toggle("bad", bad);
  };
  const send = (what) => act(view, { id, ...what });
  const acts = {
    up: () => send({ kind: "shift", by: -1 }),
    down: () => send({ kind: "shift", by: 1 }),
    play: () => send({ kind: "play" }),
    remove: () => {
      const beside = element.nextElementSibling ?? element.previousElementSibling;
      send({ kind: "remove" });
      beside?.querySelector(".remove").focus();
    },
  };
  for (const edge of ["in", "out"])
    for (const by of [-1, 1])
      acts[`${edge}${by < 0 ? "-" : "+"}1`] = () => send({ kind: "nudge", edge, by });
  for (const button of element.querySelectorAll("[data-act]"))
    button.onclick = () => acts[button.dataset.act]();
  element.onkeydown = (event) => {
    const by = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!event.altKey || !by) return;
    event.preventDefault();
    acts[by]();
  };
  const commits = (field, what) => {
    const commit = () => {
      if (field.value !== field.dataset.shown) {
        field.dataset.shown = field.value;
        field.dataset.seq = send(what(field.value));
      }
    };
    field.onblur = commit;
    field.onkeydown = (event) => {
      if (event.key === "Enter") commit();
      if (event.key === "Escape") field.value = field.dataset.shown;
    };
  };
  commits(row.note, (text) => ({ kind: "note", text }));
  for (const edge of ["in", "out"])
    commits(find(`.${edge}`), (text) => ({ kind: "trim", edge, text }));
  for (let n = 1; n <= 5; n += 1) {
    const star = document.createElement("button");
    star.type = "button";
    star.textContent = "★";
    star.ariaLabel = n === 1 ? "1 star" : `${n} stars`;
    // The last star that shines puts all out. What was asked for counts before it has arrived.
    star.onclick = () => {
      row.stars = row.stars === n ? 0 : n;
      row.starsSeq = send({ kind: "star", stars: row.stars });
      shine(row);
    };
    find(".stars").append(star);
  }
  for (const colour of ["", ...view.latest.colours]) {
    const option = document.createElement("option");
    option.value = colour;
    option.textContent = colour || "no label";
    find(".colour").append(option);
  }
  find(".colour").onchange = (event) => {
    event.target.dataset.seq = send({ kind: "colour", colour: event.target.value });
  };
  dragBy(view, row, find(".grip"), send);
  return row;
}

const LABELS = {
  red: "#e5534b", orange: "#e8833a", yellow: "#e6c84c", green: "#57ab5a",
  cyan: "#4fbfc4", blue: "#539bf5", purple: "#a371f7", pink: "#e275ad",
};

function fill(view, row, item, data, done) {
  row.list = data.list;
  if ((row.starsSeq ?? 0) <= done) row.stars = item.stars;
  shine(row);
  row.element.ariaLabel = `${item.number}. ${item.title}`;
  row.find("h3").textContent = item.title;
  row.find("h3").title = item.title;
  row.tell(item.aside, !item.is_online);
  row.find(".length").textContent = item.length;
  show(view, row.find(".in"), item.start, done);
  show(view, row.find(".out"), item.end, done);
  show(view, row.note, item.note, done);
  const colour = row.find(".colour");
  if (Number(colour.dataset.seq ?? 0) <= done) colour.value = item.colour;
  if (item.colour) row.element.style.setProperty("--label", LABELS[item.colour]);
  else row.element.style.removeProperty("--label");
  const picture = row.find("img");
  picture.hidden = !item.picture;
  if (item.picture && picture.getAttribute("src") !== item.picture) picture.src = item.picture;
  row.find(".play").disabled = !item.is_online;
}

function shine(row) {
  row.find(".stars").querySelectorAll("button").forEach((star, n) => {
    star.ariaPressed = String(n < row.stars);
  });
}

function dragBy(view, row, grip, send) {
  const others = () => [...view.list_element.children].filter((other) => other !== row.element);
  const unmark = () => others().forEach((o) => o.classList.remove("drop-before", "drop-after"));
  grip.onpointerdown = (event) => {
    if (event.button) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    view.drag = { row, before: undefined };
    row.element.classList.add("dragged");
  };
  grip.onpointermove = (event) => {
    if (view.drag?.row !== row) return;
    const rest = others();
    const below = rest.find((other) => {
      const { top, height } = other.getBoundingClientRect();
      return event.clientY < top + height / 2;
    });
    view.drag.before = below ? Number(below.dataset.id) : null;
    unmark();
    if (below) below.classList.add("drop-before");
    else rest.at(-1)?.classList.add("drop-after");
  };
  const end = (drops) => () => {
    const drag = view.drag;
    if (drag?.row !== row) return;
    view.drag = null;
    unmark();
    row.element.classList.remove("dragged");
    if (drops && drag.before !== undefined) send({ kind: "move", before: drag.before });
    draw(view, view.latest);
  };
  grip.onpointerup = end(true);
  grip.onpointercancel = end(false);
}
