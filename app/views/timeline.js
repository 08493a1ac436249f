// A title over time: lanes on a canvas, to scale, and a reel of all its shots below. Only what can
// be seen is drawn, and only pictures in sight are fetched, so that thousands of shots stay smooth.
const RULER = 20, HITS = 34, PICTURES = 56, CUTS = 14, TONES = 18, LINES = 32, CURVE = 34, GAP = 3;
const SLOT = 100; // pixels of a picture in the lane of pictures
const CARD = 168; // pixels from one shot to the next in the reel
const MAX_PICTURES = 500; // kept in memory
const SHORTEST_S = 2; // the closest look
const INK = { text: "#9aa3ad", faint: "#646d77", line: "#23272d", hit: "#e0a84e", weak: "#8a6d3d", said: "#7fa08a" };
const TONE_COLOURS = [
  "#b58ad6", "#e0a84e", "#6fb3d2", "#8cc084", "#d97b7b", "#d6d06a", "#7f8fe0", "#e08fc0", "#5fbfa8", "#c98f5a",
  "#9aa7b5", "#a8d05a",
];
const OTHER_TONE = "#59616b"; // of the tones for which there is no colour of their own
const CURVES = ["#6f9bd1", "#86a9c9", "#a58fc4", "#c9c3a0", "#8fb8b0", "#c08a8a"];

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".timeline");
  root.view ??= new View(root);
  root.view.act = (kind, shot) => setTriggerValue("act", { kind, shot, at: Date.now() });
  root.view.show(data);
}

class View {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.canvas = this.find("canvas");
    this.reel = this.find(".reel");
    this.run = this.find(".run");
    this.pictures = new Map();
    this.cards = new Map();
    this.chosen = 0;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.find(".scale"));
  }

  show(data) {
    const isOther = this.title !== data.title_id;
    this.title = data.title_id;
    this.data = data;
    this.end_s = data.ends_s.at(-1) ?? 1;
    this.scores = new Map();
    for (const match of data.matches)
      for (let shot = match.first; shot < match.end; shot++) this.scores.set(shot, match);
    this.find(".hop").hidden = !data.matches.length;
    if (isOther) {
      this.from_s = 0;
      this.to_s = this.end_s;
      this.pictures.clear();
      this.chosen = Math.min(data.chosen ?? 0, data.starts_s.length - 1);
      this.reel.scrollLeft = 0;
    }
    this.legend();
    this.run.style.width = `${data.starts_s.length * CARD}px`;
    for (const card of this.cards.values()) card.remove();
    this.cards.clear();
    this.draw();
    this.fill();
    this.tell(this.chosen);
    this.root.dataset.ready = data.starts_s.length;
  }

  legend() {
    const names = this.data.tones?.names ?? [];
    const list = this.find(".legend");
    list.hidden = !names.length;
    list.replaceChildren(...names.slice(0, TONE_COLOURS.length + 1).map((name, n) => {
      const isRest = n === TONE_COLOURS.length;
      const item = Object.assign(document.createElement("li"), { textContent: isRest ? "other tones" : name });
      item.style.setProperty("--tone", toneColour(n));
      return item;
    }));
  }

  toneOf(shot) { return this.data.tones?.values[shot] ?? null; }

  // -- what is asked of it
  listen() {
    const on = (selector, act) => (this.find(selector).onclick = () => { act(); this.root.focus(); });
    on(".play", () => this.act("play", this.chosen));
    on(".keep", () => this.act("keep", this.chosen));
    on(".previous", () => this.hop(-1));
    on(".next", () => this.hop(1));
    on(".in", () => this.zoom(0.5));
    on(".out", () => this.zoom(2));
    on(".whole", () => this.look(0, this.end_s));
    this.reel.onscroll = () => this.fill();
    this.root.onkeydown = (event) => this.key(event);
    let held = null;
    this.canvas.onpointerdown = (event) => {
      held = { x: event.offsetX, from_s: this.from_s, moved: false };
      this.canvas.setPointerCapture(event.pointerId);
    };
    this.canvas.onpointermove = (event) => {
      this.tell(this.shotAt(this.timeAt(event.offsetX)));
      if (!held) return;
      const by = event.offsetX - held.x;
      held.moved ||= Math.abs(by) > 4;
      if (held.moved) this.look(held.from_s - (by / this.width) * this.span_s, null);
    };
    this.canvas.onpointerup = (event) => {
      if (held && !held.moved) {
        this.choose(this.shotAt(this.timeAt(event.offsetX)), { still: true });
        this.act("play", this.chosen);
      }
      held = null;
      this.root.focus({ preventScroll: true });
    };
    this.canvas.onpointercancel = () => (held = null);
    this.canvas.onpointerleave = () => this.tell(this.chosen);
    this.canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(event.offsetX));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        this.look(this.from_s + (event.deltaX / this.width) * this.span_s, null);
      }
    }, { passive: false });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.data.starts_s.length - 1;
    const acts = {
      ArrowLeft: () => this.choose(this.chosen - 1), ArrowRight: () => this.choose(this.chosen + 1),
      PageUp: () => this.choose(this.chosen - 10), PageDown: () => this.choose(this.chosen + 10),
      Home: () => this.choose(0), End: () => this.choose(last),
      Enter: () => this.act("play", this.chosen), " ": () => this.act("play", this.chosen),
      a: () => this.act("keep", this.chosen), n: () => this.hop(1), p: () => this.hop(-1),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      0: () => this.look(0, this.end_s),
    };
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (!act || (event.target.tagName === "BUTTON" && ["Enter", " "].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  hop(way) {
    const firsts = this.data.matches.map((match) => match.first);
    const ahead = way > 0 ? firsts.find((shot) => shot > this.chosen) : firsts.findLast((shot) => shot < this.chosen);
    const shot = ahead ?? (way > 0 ? firsts[0] : firsts.at(-1));
    if (shot !== undefined) this.choose(shot);
  }

  choose(shot, { still = false } = {}) {
    this.chosen = Math.max(0, Math.min(shot, this.data.starts_s.length - 1));
    const [start_s, end_s] = [this.data.starts_s[this.chosen], this.data.ends_s[this.chosen]];
    if (!still && (start_s < this.from_s || end_s > this.to_s))
      this.look((start_s + end_s - this.span_s) / 2, null);
    const left = this.chosen * CARD;
    if (left < this.reel.scrollLeft || left + CARD > this.reel.scrollLeft + this.reel.clientWidth)
      this.reel.scrollLeft = left - (this.reel.clientWidth - CARD) / 2;
    this.fill();
    this.draw();
    this.tell(this.chosen);
  }

  zoom(factor, around_s = null) {
    const [start_s, end_s] = [this.data.starts_s[this.chosen], this.data.ends_s[this.chosen]];
    const middle_s = (start_s + end_s) / 2;
    const centre_s = around_s ?? (middle_s >= this.from_s && middle_s <= this.to_s ? middle_s : (this.from_s + this.to_s) / 2);
    const span_s = Math.min(this.end_s, Math.max(Math.min(SHORTEST_S, this.end_s), this.span_s * factor));
    const share = (centre_s - this.from_s) / this.span_s;
    this.look(centre_s - share * span_s, span_s);
  }

  look(from_s, span_s) {
    const span = span_s ?? this.span_s;
    this.from_s = Math.max(0, Math.min(from_s, this.end_s - span));
    this.to_s = this.from_s + span;
    this.draw();
  }

  get span_s() { return this.to_s - this.from_s; }
  timeAt(x) { return this.from_s + (x / this.width) * this.span_s; }
  xAt(time_s) { return ((time_s - this.from_s) / this.span_s) * this.width; }
  shotAt(time_s) {
    const starts = this.data.starts_s;
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= time_s) low = middle; else high = middle - 1;
    }
    return low;
  }

  tell(shot) {
    const line = this.data.lines.find((line) => line.shot === shot);
    const match = this.scores.get(shot);
    const parts = [
      `Shot ${shot + 1} of ${this.data.starts_s.length}`, this.data.timecodes[shot],
      `${(this.data.ends_s[shot] - this.data.starts_s[shot]).toFixed(1)} s`,
    ];
    if (match) parts.push(`score ${match.score.toFixed(2)}`);
    if (this.toneOf(shot) !== null) parts.push(this.data.tones.names[this.toneOf(shot)]);
    if (line) parts.push(`“${line.text}”`);
    this.find(".where").textContent = parts.join(" · ");
  }

  // -- the reel: a card for each shot in sight
  fill() {
    const first = Math.max(0, Math.floor(this.reel.scrollLeft / CARD) - 3);
    const end = Math.min(this.data.starts_s.length, Math.ceil((this.reel.scrollLeft + this.reel.clientWidth) / CARD) + 3);
    for (const [shot, card] of this.cards)
      if (shot < first || shot >= end) { card.remove(); this.cards.delete(shot); }
    for (let shot = first; shot < end; shot++) {
      if (!this.cards.has(shot)) this.cards.set(shot, this.run.appendChild(this.card(shot)));
      this.cards.get(shot).classList.toggle("chosen", shot === this.chosen);
    }
  }

  card(shot) {
    const make = (tag, name, words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
    const card = make("div", "shot");
    card.dataset.shot = shot;
    card.style.left = `${shot * CARD}px`;
    const picture = this.data.has_picture ? make("img", "") : make("div", "none", "sound");
    if (this.data.has_picture) {
      picture.alt = "";
      picture.onerror = () => picture.replaceWith(make("div", "none", "no picture"));
      picture.src = this.address(shot);
    }
    const told = make("div", "told");
    const match = this.scores.get(shot);
    told.append(make("span", "", this.data.timecodes[shot]), match ? make("b", "", match.score.toFixed(2)) : make("span", "", String(shot + 1)));
    card.append(picture, told);
    if (match) {
      const bar = make("div", match.is_good ? "hit" : "hit weak");
      bar.style.width = `${Math.round(match.score * 100)}%`;
      card.append(bar);
    }
    card.onclick = () => { this.choose(shot); this.act("play", shot); };
    return card;
  }

  address(shot) { return `/thumbs/${this.data.title_id}/${shot}.jpg`; }

  picture(shot) {
    let picture = this.pictures.get(shot);
    if (!picture) {
      picture = new Image();
      picture.onload = () => this.draw();
      picture.src = this.address(shot);
      this.pictures.set(shot, picture);
      if (this.pictures.size > MAX_PICTURES) this.pictures.delete(this.pictures.keys().next().value);
    }
    return picture.complete && picture.naturalWidth ? picture : null;
  }

  // -- the lanes
  draw() {
    if (this.due || !this.data) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.paint(); });
  }

  paint() {
    this.width = this.find(".scale").clientWidth;
    if (!this.width) return;
    const lanes = this.lanes();
    const height = lanes.at(-1).top + lanes.at(-1).height + GAP;
    const sharp = window.devicePixelRatio || 1;
    this.canvas.width = this.width * sharp;
    this.canvas.height = height * sharp;
    this.canvas.style.height = `${height}px`;
    const ink = (this.ink = this.canvas.getContext("2d"));
    ink.scale(sharp, sharp);
    ink.font = "11px system-ui, sans-serif";
    const first = this.shotAt(this.from_s), last = this.shotAt(this.to_s);
    for (const lane of lanes) lane.draw(lane.top, first, last);
    for (const lane of lanes.slice(1)) { ink.fillStyle = INK.line; ink.fillRect(0, lane.top - 2, this.width, 1); }
    const [left, right] = [this.xAt(this.data.starts_s[this.chosen]), this.xAt(this.data.ends_s[this.chosen])];
    ink.strokeStyle = INK.hit;
    ink.strokeRect(left + 0.5, RULER + 0.5, Math.max(right - left - 1, 1), height - RULER - 2);
  }

  lanes() {
    const lanes = [{ height: RULER, draw: (top) => this.ruler(top) }];
    const add = (height, draw) => lanes.push({ height, draw });
    if (this.data.asked) add(HITS, (...lane) => this.hits(...lane));
    if (this.data.has_picture) add(PICTURES, (...lane) => this.film(...lane));
    add(CUTS, (...lane) => this.cuts(...lane));
    if (this.data.tones) add(TONES, (...lane) => this.tones(...lane));
    if (this.data.lines.length) add(LINES, (...lane) => this.said(...lane));
    this.data.curves.forEach((curve, i) => add(CURVE, (...lane) => this.curve(curve, CURVES[i % CURVES.length], ...lane)));
    let top = 0;
    for (const lane of lanes) { lane.top = top; top += lane.height + GAP; }
    return lanes;
  }

  name(words, top) {
    const width = this.ink.measureText(words).width;
    this.ink.fillStyle = "#15181cd0";
    this.ink.fillRect(0, top, width + 10, 14);
    this.ink.fillStyle = INK.text;
    this.ink.fillText(words, 5, top + 11);
  }

  ruler(top) {
    const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const step = steps.find((s) => (s / this.span_s) * this.width > 70) ?? 7200;
    this.ink.fillStyle = INK.faint;
    for (let t = Math.ceil(this.from_s / step) * step; t <= this.to_s; t += step) {
      const x = this.xAt(t);
      this.ink.fillRect(x, top + 13, 1, 7);
      if (x < this.width - 40) this.ink.fillText(clock(t, step), x + 3, top + 13);
    }
  }

  hits(top) {
    for (const match of this.data.matches) {
      const left = this.xAt(this.data.starts_s[match.first]);
      const right = this.xAt(this.data.ends_s[match.end - 1]);
      if (right < 0 || left > this.width) continue;
      const height = Math.max(2, match.score * (HITS - 2));
      this.ink.fillStyle = match.is_good ? INK.hit : INK.weak;
      this.ink.fillRect(left, top + HITS - height, Math.max(right - left, 2), height);
    }
    this.name(this.data.matches.length ? "Matches" : "No match here", top);
  }

  film(top) {
    const slot_s = (SLOT / this.width) * this.span_s;
    for (let n = Math.floor(this.from_s / slot_s); n * slot_s < this.to_s; n++) {
      const shot = this.shotAt((n + 0.5) * slot_s);
      const picture = this.picture(shot);
      const x = this.xAt(n * slot_s);
      this.ink.fillStyle = "#0d0f12";
      this.ink.fillRect(x, top, SLOT - 1, PICTURES);
      if (!picture) continue;
      const scale = Math.max((SLOT - 1) / picture.naturalWidth, PICTURES / picture.naturalHeight);
      const [w, h] = [(SLOT - 1) / scale, PICTURES / scale];
      this.ink.drawImage(picture, (picture.naturalWidth - w) / 2, (picture.naturalHeight - h) / 2, w, h, x, top, SLOT - 1, PICTURES);
    }
  }

  cuts(top, first, last) {
    let drawn = -1;
    for (let shot = first; shot <= last; shot++) {
      const left = this.xAt(this.data.starts_s[shot]), right = this.xAt(this.data.ends_s[shot]);
      if (right - drawn < 0.7) continue; // less than a pixel of it is in sight
      this.ink.fillStyle = shot % 2 ? "#343b45" : "#4a5361";
      this.ink.fillRect(Math.max(left, drawn), top, Math.max(right - Math.max(left, drawn) - (right - left > 4 ? 1 : 0), 0.7), CUTS);
      drawn = right;
    }
  }

  tones(top, first, last) {
    let free = 0; // where the next name may begin
    for (let shot = first; shot <= last; shot++) {
      const tone = this.toneOf(shot);
      if (tone === null) continue;
      let end = shot; // shots of one tone that follow one another are one block
      while (end < last && this.toneOf(end + 1) === tone) end++;
      const left = this.xAt(this.data.starts_s[shot]), right = this.xAt(this.data.ends_s[end]);
      this.ink.fillStyle = toneColour(tone);
      this.ink.fillRect(left, top, Math.max(right - left, 1), TONES);
      const name = this.data.tones.names[tone], width = this.ink.measureText(name).width + 8;
      if (right - left > width && left > free) {
        this.ink.fillStyle = "#14161a";
        this.ink.fillText(name, left + 4, top + 13);
        free = left + width;
      }
      shot = end;
    }
    if (this.xAt(this.firstToned() ?? this.end_s) > 40) this.name("Tone", top);
  }

  // Returns when the first shot with a tone begins: the lane's name is not to hide it.
  firstToned() { return this.data.starts_s.find((_, shot) => this.toneOf(shot) !== null); }

  said(top) {
    let free = 60; // where the next words may begin; the lane's name stands before
    for (const line of this.data.lines) {
      const x = this.xAt(line.at_s);
      if (x < -400 || x > this.width) continue;
      this.ink.fillStyle = INK.said;
      this.ink.fillRect(x, top + LINES - 8, 2, 8);
      if (x < free) continue;
      const words = line.text.length > 40 ? `${line.text.slice(0, 39)}…` : line.text;
      this.ink.fillStyle = "#c5cad1";
      this.ink.fillText(words, x, top + LINES - 12);
      free = x + this.ink.measureText(words).width + 12;
    }
    this.name("Dialogue", top);
  }

  curve(curve, colour, top, first, last) {
    this.ink.fillStyle = `${colour}55`;
    const tops = [];
    let column = -1, peak = 0;
    const bar = (left, right, value) => {
      const height = Math.max(value * (CURVE - 4), 0.5);
      this.ink.fillRect(left, top + CURVE - height, right - left, height);
      tops.push([left, top + CURVE - height, right - left, 1]);
    };
    for (let shot = first; shot <= last; shot++) {
      const value = curve.values[shot];
      if (value === null) continue;
      const left = this.xAt(this.data.starts_s[shot]), right = this.xAt(this.data.ends_s[shot]);
      if (right - left >= 1) { bar(left, right, value); continue; }
      if (Math.floor(left) !== column) { // several shots within a pixel: their highest
        if (column >= 0) bar(column, column + 1, peak);
        column = Math.floor(left);
        peak = 0;
      }
      peak = Math.max(peak, value);
    }
    if (column >= 0) bar(column, column + 1, peak);
    this.ink.fillStyle = colour;
    for (const line of tops) this.ink.fillRect(...line); // one path of them all would be slow
    this.name(`${curve.name} · ${curve.scale}`, top);
  }
}

function toneColour(tone) { return TONE_COLOURS[tone] ?? OTHER_TONE; }

function clock(time_s, step_s) {
  const whole = Math.floor(time_s), two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const rest = step_s < 1 ? `.${Math.round((time_s - whole) * 10)}` : "";
  return h ? `${h}:${two(m)}:${two(s)}${rest}` : `${m}:${two(s)}${rest}`;
}
