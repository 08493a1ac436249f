// Cards of moments. What comes as data is only ever set as text, or as the address of a picture.
const AT_ONCE = 48; // cards made before the browser may paint
const SHEET_FRAME_PX = 160; // how wide a frame of a sheet is, as the indexer makes them
const SHOTS_SCRUBBED = 16; // of a longer moment so many shots, evenly
const VIEW = "trimbin-view";

const pictures = new Map(); // address -> Image: what a pointer has run through stays at hand

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".moments");
  host.grid ??= new Grid(host);
  host.grid.draw(data, setTriggerValue);
}

function make(tag, className, words) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (words !== undefined) element.textContent = words;
  return element;
}

class Grid {
  constructor(host) {
    this.host = host;
    this.find = (selector) => host.querySelector(selector);
    this.list = this.find(".cards");
    this.menu = this.find(".menu");
    this.made = new Map(); // card id -> {told, element, heading}
    this.turn = 0;
    this.look(localStorage.getItem(VIEW) === "list");
    this.find(".view").onclick = () => this.look(!this.host.classList.contains("as-list"));
    this.find(".keys").onclick = () => this.help();
    host.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("focusin", (event) => this.reach(event.target.closest(".card")));
  }

  look(asList) {
    this.host.classList.toggle("as-list", asList);
    this.find(".view").textContent = asList ? "Grid" : "List";
    this.find(".view").setAttribute("aria-pressed", String(asList));
    localStorage.setItem(VIEW, asList ? "list" : "grid");
  }

  draw(data, send) {
    this.send = send;
    this.acts = data.acts;
    this.has = (name) => data.acts.some((act) => act.name === name);
    this.find(".heading").textContent = data.heading;
    this.write();
    const turn = ++this.turn;
    const ids = new Set(data.cards.map((card) => card.id));
    for (const [id, { element, heading }] of this.made) {
      if (ids.has(id)) continue;
      element.remove();
      heading?.remove();
      this.made.delete(id);
    }
    let at = null; // the element that the next one comes after
    const place = (element) => {
      const next = at ? at.nextElementSibling : this.list.firstElementChild;
      if (next !== element) this.list.insertBefore(element, next);
      at = element;
    };
    const go = (from) => {
      if (turn !== this.turn) return;
      for (const card of data.cards.slice(from, from + AT_ONCE)) {
        const { element, heading } = this.card(card);
        if (heading) place(heading);
        place(element);
      }
      if (!this.list.querySelector(".card[tabindex='0']")) this.reach(this.list.querySelector(".card"));
      if (from === 0) performance.mark("trimbin-first-cards");
      if (from + AT_ONCE < data.cards.length) requestAnimationFrame(() => go(from + AT_ONCE));
      else performance.mark("trimbin-all-cards");
    };
    go(0);
  }

  // Returns a card's element: the one there is, where nothing of it has changed.
  card(card) {
    const told = JSON.stringify(card);
    const known = this.made.get(card.id);
    if (known?.told === told) return known;
    const element = this.build(card);
    if (known) {
      const hadFocus = known.element.contains(known.element.getRootNode().activeElement);
      element.tabIndex = known.element.tabIndex;
      known.element.replaceWith(element);
      known.heading?.remove();
      if (hadFocus) element.focus({ preventScroll: true });
    }
    const heading = card.heading ? make("h2", "heading between", card.heading) : null;
    const entry = { told, element, heading };
    this.made.set(card.id, entry);
    return entry;
  }

  build(card) {
    const element = make("article", "card");
    element.tabIndex = -1;
    element.card = card;
    element.setAttribute("role", "listitem");
    element.setAttribute("aria-label", [card.title, card.span, card.score && `score ${card.score}`].filter(Boolean).join(", "));
    element.append(this.frame(card), this.body(card), this.buttons(card, element));
    return element;
  }

  frame(card) {
    const frame = make("button", "frame");
    frame.type = "button";
    frame.tabIndex = -1;
    frame.setAttribute("aria-label", "Play");
    if (card.picture) {
      const image = make("img");
      image.loading = "lazy";
      image.decoding = "async";
      image.alt = "";
      image.src = card.picture;
      frame.append(image);
    } else frame.append(make("span", "no-picture", "no picture"));
    const marks = make("span", "marks");
    for (const [kind, words] of card.badges ?? []) marks.append(make("span", `badge ${kind}`, words));
    frame.append(make("span", "scrub"), make("span", "run"), make("span", "sign", "▶"), marks);
    frame.onclick = () => this.act("play", card);
    if (card.scrub?.length) this.scrubs(frame, card.scrub);
    return frame;
  }

  // The pointer's place over a picture is a place in the moment, all its shots equally wide.
  scrubs(frame, all) {
    const step = Math.ceil(all.length / SHOTS_SCRUBBED);
    const shots = all.filter((_, n) => n % step === 0);
    const layer = frame.querySelector(".scrub");
    const run = frame.querySelector(".run");
    frame.onpointerenter = () => shots.forEach(([address]) => picture(address));
    frame.onpointermove = (event) => {
      if (event.pointerType === "touch") return;
      const box = frame.getBoundingClientRect();
      const share = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
      run.style.width = `${share * 100}%`;
      const [address, isSheet] = shots[Math.floor(share * shots.length)];
      const image = picture(address);
      if (!image.naturalWidth) return;
      const count = isSheet ? Math.max(1, Math.round(image.naturalWidth / SHEET_FRAME_PX)) : 1;
      const nth = Math.floor(((share * shots.length) % 1) * count);
      const shape = image.naturalWidth / count / image.naturalHeight;
      layer.style.aspectRatio = String(shape);
      layer.style.width = shape >= 16 / 9 ? "100%" : "auto";
      layer.style.height = shape >= 16 / 9 ? "auto" : "100%";
      layer.style.backgroundImage = `url("${encodeURI(address)}")`;
      layer.style.backgroundSize = `${count * 100}% 100%`;
      layer.style.backgroundPosition = `${count > 1 ? (nth / (count - 1)) * 100 : 0}% 0`;
      frame.classList.add("scrubbed");
    };
    frame.onpointerleave = () => frame.classList.remove("scrubbed");
  }

  body(card) {
    const body = make("div", "body");
    const top = make("p", "top");
    top.append(make("span", "tc", card.span ?? ""));
    if (card.score) {
      const score = make("span", "score", card.score);
      score.title = "Score, 0 to 1, within this answer";
      top.append(score);
    }
    const title = make("h3", "", card.title ?? "");
    title.title = card.title ?? "";
    body.append(top, title);
    if (card.why?.length) {
      const why = make("ul", "why");
      why.setAttribute("aria-label", "Why it matched");
      for (const [space, share] of card.why) {
        const row = make("li");
        const bar = make("span", "bar");
        bar.append(make("span"));
        bar.firstChild.style.width = `${Math.round(share * 100)}%`;
        row.append(make("span", "space", space), bar, make("span", "share", `${Math.round(share * 100)}%`));
        why.append(row);
      }
      body.append(why);
    }
    if (card.said) {
      const said = make("p", "said", `“${card.said}”`);
      said.title = card.said;
      body.append(said);
    }
    for (const [what, words] of card.told ?? []) {
      const told = make("p", "told", words);
      told.prepend(make("span", "what", `${what} `));
      body.append(told);
    }
    if (card.tags?.length) {
      const tags = make("ul", "tags");
      tags.setAttribute("aria-label", "Tags");
      for (const [field, name] of card.tags) {
        const tag = make("li", field, name);
        tag.title = `${field}:${name}`;
        tags.append(tag);
      }
      body.append(tags);
    }
    return body;
  }

  buttons(card, element) {
    const row = make("div", "acts");
    const may = this.acts.filter((act) => act.name !== "play" && !card.without?.includes(act.name));
    for (const act of may.filter((act) => act.is_on_card)) row.append(this.button(act, card, "act"));
    const rest = may.filter((act) => !act.is_on_card);
    if (rest.length) {
      const more = make("button", "act more", "⋯");
      more.type = "button";
      more.tabIndex = -1;
      more.setAttribute("aria-label", "More");
      more.setAttribute("aria-haspopup", "menu");
      more.onclick = () => this.open(rest, card, more, element);
      row.append(more);
    }
    return row;
  }

  button(act, card, className) {
    const isDone = act.name === "add" && card.is_added;
    const button = make("button", className, isDone ? "Added" : act.label);
    button.type = "button";
    button.tabIndex = -1;
    button.disabled = isDone;
    button.dataset.act = act.name;
    if (act.key) button.title = `${act.label} (${act.key})`;
    button.onclick = () => this.act(act.name, card);
    return button;
  }

  open(acts, card, by, element) {
    this.menu.replaceChildren(
      ...acts.map((act) => {
        const item = this.button(act, card, "item");
        item.setAttribute("role", "menuitem");
        if (act.key) item.append(make("kbd", "", act.key));
        const go = item.onclick;
        item.onclick = () => {
          this.menu.hidePopover();
          go();
        };
        return item;
      }),
    );
    this.menu.showPopover();
    const box = by.getBoundingClientRect();
    const size = this.menu.getBoundingClientRect();
    this.menu.style.left = `${Math.max(8, Math.min(box.right - size.width, innerWidth - size.width - 8))}px`;
    const below = box.bottom + 4;
    this.menu.style.top = `${below + size.height < innerHeight ? below : Math.max(8, box.top - size.height - 4)}px`;
    this.menu.owner = element;
    this.menu.firstElementChild.focus();
  }

  act(name, card) {
    if (!this.has(name) || card.without?.includes(name) || (name === "add" && card.is_added)) return;
    this.send("action", { name, id: card.id });
  }

  // The one card that Tab comes to; the arrows lead to the others.
  reach(card) {
    if (!card || card.tabIndex === 0) return;
    for (const other of this.list.querySelectorAll(".card[tabindex='0']")) this.tabs(other, -1);
    this.tabs(card, 0);
  }

  tabs(card, index) {
    card.tabIndex = index;
    for (const button of card.querySelectorAll(".frame, .act")) button.tabIndex = index;
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.menu.contains(event.target)) return this.pressInMenu(event);
    const card = event.target.closest?.(".card");
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.key === "?") return done(), this.help();
    if (event.key === "v") return done(), this.look(!this.host.classList.contains("as-list"));
    if (event.key === "/") {
      const box = document.querySelector("input[type=search]");
      return box && (done(), box.focus(), box.select());
    }
    if (!card) return;
    if (event.key === "Enter" && event.target === card) return done(), this.act("play", card.card);
    const to = this.next(card, event.key);
    if (to !== undefined) {
      done();
      if (to) {
        to.focus({ preventScroll: true });
        to.scrollIntoView({ block: "nearest" });
      }
      return;
    }
    const act = this.acts.find((act) => act.key && act.key === event.key);
    if (act) done(), this.act(act.name, card.card);
  }

  pressInMenu(event) {
    const items = [...this.menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.menu.owner?.focus();
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const at = items.indexOf(event.target.closest(".item"));
    items[(at + step + items.length) % items.length].focus();
  }

  // Returns the card that a key leads to, null at the edge, undefined for any other key.
  next(card, key) {
    const cards = [...this.list.querySelectorAll(".card")];
    const at = cards.indexOf(card);
    const top = card.offsetTop;
    const middle = card.offsetLeft + card.offsetWidth / 2;
    const nearest = (row) =>
      row.reduce((best, one) => {
        const far = (c) => Math.abs(c.offsetLeft + c.offsetWidth / 2 - middle);
        return !best || far(one) < far(best) ? one : best;
      }, null);
    switch (key) {
      case "ArrowRight": return cards[at + 1] ?? null;
      case "ArrowLeft": return cards[at - 1] ?? null;
      case "Home": return cards[0];
      case "End": return cards.at(-1);
      case "ArrowDown": {
        const below = cards.slice(at + 1).find((c) => c.offsetTop > top);
        return below ? nearest(cards.filter((c) => c.offsetTop === below.offsetTop)) : null;
      }
      case "ArrowUp": {
        const above = cards.slice(0, at).findLast((c) => c.offsetTop < top);
        return above ? nearest(cards.filter((c) => c.offsetTop === above.offsetTop)) : null;
      }
    }
    return undefined;
  }

  write() {
    const keys = [["← ↑ → ↓", "from card to card"], ["Enter", "play"]];
    for (const act of this.acts) if (act.key) keys.push([act.key, act.label.toLowerCase()]);
    keys.push(["v", "grid or list"], ["/", "to the search box"], ["?", "this list"]);
    const rows = keys.flatMap(([key, what]) => [make("dt", "", key), make("dd", "", what)]);
    this.find(".help").replaceChildren(...rows);
  }

  help() {
    const help = this.find(".help");
    help.hidden = !help.hidden;
    this.find(".keys").setAttribute("aria-expanded", String(!help.hidden));
  }
}

function picture(address) {
  let image = pictures.get(address);
  if (!image) {
    image = new Image();
    image.src = address;
    pictures.set(address, image);
  }
  return image;
}
