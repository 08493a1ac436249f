// Shots as points on a canvas: coloured, hovered over, drawn around. Points are drawn a colour at a
// time, and found through a grid, so that 20,000 of them follow the pointer.
const PALETTE = ["#6f9bd1", "#c98f7a", "#86b58a", "#a58fc4", "#c9c3a0", "#74b3b0", "#c08aa8", "#8f9fb3",
  "#b3a06f", "#7fa0c9", "#a3b574", "#b58686", "#8fc4a5", "#9d8fd1", "#c4a58f", "#7ac0c9"];
const OTHER = "#59616b";
const UNTOLD = ["others", "none told"]; // what has no colour of its own
const GRID = 64; // cells along each side
const REACH = 12; // pixels within which a point is meant
const MARGIN = 0.06; // of the sheet, around the map

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".atlas");
  root.view ??= new View(root);
  root.view.select = (chosen) => setStateValue("selected", chosen);
  root.view.play = (point) => setTriggerValue("act", { point, at: Date.now() });
  root.view.show(data);
}

class View {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.canvas = this.find("canvas");
    this.mode = "lasso";
    this.zoom = 1;
    this.shift = [0, 0]; // of the sheet, in pixels
    this.chosen = new Set();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.find(".sheet"));
  }

  show(data) {
    this.data = data;
    this.cells = new Map();
    data.x.forEach((x, i) => {
      const cell = this.cellOf(x, data.y[i]);
      this.cells.has(cell) ? this.cells.get(cell).push(i) : this.cells.set(cell, [i]);
    });
    const ids = new Set(data.ids);
    this.chosen = new Set([...this.chosen].filter((id) => ids.has(id)));
    this.byColour = new Map();
    data.colour.forEach((colour, i) => {
      this.byColour.has(colour) ? this.byColour.get(colour).push(i) : this.byColour.set(colour, [i]);
    });
    this.find(".legend").replaceChildren(...data.legend.map((name, i) => {
      const item = document.createElement("li"), mark = document.createElement("i");
      mark.style.background = this.ink(i);
      item.append(mark, name);
      return item;
    }));
    this.root.dataset.ready = data.x.length;
    this.tell();
    this.draw();
  }

  ink(colour) { return colour >= 0 && colour < PALETTE.length && !UNTOLD.includes(this.data.legend[colour]) ? PALETTE[colour] : OTHER; }
  cellOf(x, y) { return Math.floor(x * GRID) * 1000 + Math.floor(y * GRID); }

  // -- from the map (0..1) to the sheet (pixels) and back
  get side() { return Math.min(this.width, this.height) * (1 - 2 * MARGIN); }
  get stretch() { return [this.width * (1 - 2 * MARGIN), this.height * (1 - 2 * MARGIN)]; }
  at(i) {
    const [w, h] = this.stretch;
    return [((this.data.x[i] - 0.5) * w) * this.zoom + this.width / 2 + this.shift[0],
      ((this.data.y[i] - 0.5) * h) * this.zoom + this.height / 2 + this.shift[1]];
  }
  back([px, py]) {
    const [w, h] = this.stretch;
    return [(px - this.shift[0] - this.width / 2) / (w * this.zoom) + 0.5, (py - this.shift[1] - this.height / 2) / (h * this.zoom) + 0.5];
  }

  nearest(px, py) {
    const [x0, y0] = this.back([px - REACH, py - REACH]), [x1, y1] = this.back([px + REACH, py + REACH]);
    let best = -1, least = REACH * REACH;
    for (let a = Math.floor(x0 * GRID); a <= Math.floor(x1 * GRID); a++)
      for (let b = Math.floor(y0 * GRID); b <= Math.floor(y1 * GRID); b++)
        for (const i of this.cells.get(a * 1000 + b) ?? []) {
          const [x, y] = this.at(i), far = (x - px) ** 2 + (y - py) ** 2;
          if (far < least) { least = far; best = i; }
        }
    return best;
  }

  // -- what is asked of it
  listen() {
    for (const button of this.root.querySelectorAll(".modes button"))
      button.onclick = () => {
        this.mode = button.dataset.mode;
        for (const other of this.root.querySelectorAll(".modes button")) other.setAttribute("aria-pressed", String(other === button));
        this.canvas.classList.toggle("move", this.mode === "move");
      };
    this.find(".closer").onclick = () => this.scale(1.5);
    this.find(".farther").onclick = () => this.scale(1 / 1.5);
    this.find(".whole").onclick = () => this.whole();
    this.root.onkeydown = (event) => {
      const acts = { Escape: () => this.choose([]), "+": () => this.scale(1.5), "-": () => this.scale(1 / 1.5), 0: () => this.whole() };
      if (!acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    };
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.held = { path: [[event.offsetX, event.offsetY]], shift: [...this.shift], moved: false };
      this.root.focus({ preventScroll: true });
    };
    this.canvas.onpointermove = (event) => {
      if (!this.held) return this.hover(event.offsetX, event.offsetY);
      const [x, y] = this.held.path[0];
      this.held.moved ||= Math.hypot(event.offsetX - x, event.offsetY - y) > 4;
      if (this.mode === "move") this.shift = [this.held.shift[0] + event.offsetX - x, this.held.shift[1] + event.offsetY - y];
      else if (this.mode === "box") this.held.path = [[x, y], [event.offsetX, y], [event.offsetX, event.offsetY], [x, event.offsetY]];
      else this.held.path.push([event.offsetX, event.offsetY]);
      this.find(".tip").hidden = true;
      this.draw();
    };
    this.canvas.onpointerup = (event) => {
      const held = this.held;
      this.held = null;
      if (held && !held.moved) {
        const point = this.nearest(event.offsetX, event.offsetY);
        if (point >= 0) this.play(this.data.ids[point]);
      } else if (held && this.mode !== "move") this.choose(this.within(held.path));
      this.draw();
    };
    this.canvas.onpointercancel = () => { this.held = null; this.draw(); };
    this.canvas.onpointerleave = () => (this.find(".tip").hidden = true);
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.scale(event.deltaY > 0 ? 1 / 1.2 : 1.2, [event.offsetX, event.offsetY]);
    }, { passive: false });
  }

  whole() { this.zoom = 1; this.shift = [0, 0]; this.draw(); }

  scale(factor, [px, py] = [this.width / 2, this.height / 2]) {
    const zoom = Math.max(1, Math.min(60, this.zoom * factor));
    const [dx, dy] = [px - this.width / 2 - this.shift[0], py - this.height / 2 - this.shift[1]];
    this.shift = [px - this.width / 2 - dx * (zoom / this.zoom), py - this.height / 2 - dy * (zoom / this.zoom)];
    this.zoom = zoom;
    if (zoom === 1) this.shift = [0, 0];
    this.draw();
  }

  within(path) {
    const shape = new Path2D();
    path.forEach(([x, y], n) => (n ? shape.lineTo(x, y) : shape.moveTo(x, y)));
    shape.closePath();
    const pen = this.canvas.getContext("2d");
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    const found = this.data.ids.filter((_, i) => pen.isPointInPath(shape, ...this.at(i)));
    pen.restore();
    return found;
  }

  choose(ids) {
    this.chosen = new Set(ids);
    this.tell();
    this.draw();
    this.select([...this.chosen]);
  }

  hover(x, y) {
    const tip = this.find(".tip"), point = this.nearest(x, y);
    if (point !== this.hovered) { this.hovered = point; this.draw(); }
    tip.hidden = point < 0;
    if (point < 0) return;
    const title = this.data.titles[this.data.title[point]], shot = this.data.shot[point];
    const address = title.has_picture ? `/thumbs/${title.id}/${shot}.jpg` : "";
    const img = tip.querySelector("img");
    img.hidden = !address;
    if (address && img.getAttribute("src") !== address) img.src = address;
    tip.querySelector("figcaption").textContent = `${title.name} · shot ${shot + 1}`;
    tip.style.left = `${Math.max(4, Math.min(x + 14, this.width - 215))}px`;
    tip.style.top = `${y > this.height - 170 ? Math.max(4, y - 165) : y + 14}px`;
  }

  tell() {
    const all = `${this.data.x.length.toLocaleString("en")} shots`;
    this.find(".told").textContent = this.chosen.size ? `${this.chosen.size.toLocaleString("en")} of ${all} chosen` : all;
  }

  draw() {
    if (this.due || !this.data) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.paint(); });
  }

  paint() {
    const sheet = this.find(".sheet");
    [this.width, this.height] = [sheet.clientWidth, sheet.clientHeight];
    if (!this.width) return;
    const sharp = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [this.width * sharp, this.height * sharp];
    const pen = this.canvas.getContext("2d");
    pen.scale(sharp, sharp);
    const size = Math.max(2, Math.min(9, (this.data.x.length > 4000 ? 2.5 : this.data.x.length > 400 ? 4 : 8) * Math.sqrt(this.zoom)));
    const few = this.data.x.length < 4000;
    const dots = (points, r) => {
      for (const i of points) {
        const [x, y] = this.at(i);
        if (x > -r && y > -r && x < this.width + r && y < this.height + r) few ? (pen.beginPath(), pen.arc(x, y, r / 2, 0, 7), pen.fill()) : pen.fillRect(x - r / 2, y - r / 2, r, r);
      }
    };
    for (const [colour, points] of this.byColour) {
      pen.fillStyle = this.ink(colour);
      pen.globalAlpha = this.chosen.size ? 0.28 : 0.85;
      dots(points, size);
    }
    pen.globalAlpha = 1;
    if (this.chosen.size) {
      pen.fillStyle = "#e0a84e";
      dots([...this.data.ids.keys()].filter((i) => this.chosen.has(this.data.ids[i])), size + 1);
    }
    this.labels(pen);
    if (this.hovered >= 0 && this.hovered < this.data.x.length) {
      const [x, y] = this.at(this.hovered);
      pen.strokeStyle = "#fff";
      pen.strokeRect(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4);
    }
    if (this.held?.moved && this.mode !== "move") {
      pen.beginPath();
      this.held.path.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.closePath();
      pen.fillStyle = "#e0a84e22";
      pen.strokeStyle = "#e0a84e";
      pen.fill();
      pen.stroke();
    }
  }

  labels(pen) {
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    const taken = [];
    for (const { name, x, y } of this.data.labels) {
      const [w, h] = this.stretch;
      const half = pen.measureText(name).width / 2 + 4;
      const px = Math.max(half, Math.min(this.width - half, (x - 0.5) * w * this.zoom + this.width / 2 + this.shift[0]));
      const py = (y - 0.5) * h * this.zoom + this.height / 2 + this.shift[1];
      if (py < 0 || py > this.height || taken.some((t) => Math.abs(t.py - py) < 16 && Math.abs(t.px - px) < t.half + half)) continue;
      taken.push({ px, py, half });
      pen.lineWidth = 3;
      pen.strokeStyle = "#15181ce0";
      pen.strokeText(name, px, py);
      pen.lineWidth = 1;
      pen.fillStyle = "#e7e9ec";
      pen.fillText(name, px, py);
    }
  }
}
