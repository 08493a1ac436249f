// Plays one moment of a film: from its in point, stopping at its out point. After that first stop,
// or when somebody seeks outside the moment, the film simply goes on.
const FASTEST = 8;
const BACKWARDS_EVERY_MS = 100;

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".player");
  host.player ??= new Player(host);
  host.player.send = setTriggerValue;
  host.player.show(data);
  return () => host.player.leave();
}

// Returns the timecode of a count of frames, as the page's own clock writes it (SMPTE ST 12-1).
export function timecode(frame, { nominal, dropped, start, is_drop }) {
  let count = frame + start;
  if (dropped) {
    const aMinute = nominal * 60 - dropped;
    const tenMinutes = aMinute * 10 + dropped;
    const rest = count % tenMinutes;
    const minutes = rest < dropped ? 0 : Math.floor((rest - dropped) / aMinute);
    count += dropped * (9 * Math.floor(count / tenMinutes) + minutes);
  }
  const two = (number) => String(number).padStart(2, "0");
  const seconds = Math.floor(count / nominal);
  const frames = String(count % nominal).padStart(nominal <= 100 ? 2 : 3, "0");
  const hours = Math.floor(seconds / 3600) % 24;
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${is_drop ? ";" : ":"}${frames}`;
}

class Player {
  constructor(host) {
    this.host = host;
    this.find = (selector) => host.querySelector(selector);
    this.video = this.find("video");
    this.keys = (event) => this.press(event);
    this.wire();
  }

  show(data) {
    this.data = data;
    document.removeEventListener("keydown", this.keys, true);
    document.addEventListener("keydown", this.keys, true);
    for (const name of ["previous", "next", "add"]) this.find(`.${name}`).hidden = !data.offers.includes(name);
    const moment = `${data.sources[0].address}#${data.start_s},${data.end_s}`;
    if (this.moment === moment) return; // drawn again: go on playing
    this.moment = moment;
    this.source = 0;
    this.holding = true; // stop at the out point
    this.in = this.frameAt(data.start_s);
    this.out = Math.max(this.in + 1, this.frameAt(data.end_s));
    this.stopShuttle();
    this.video.playbackRate = 1;
    for (const name of [".back", ".forward", ".still", ".guides-tall", ".guides-square"]) this.find(name).hidden = !data.has_picture;
    this.find(".stage").classList.toggle("sound-only", !data.has_picture);
    if (data.poster) this.video.poster = data.poster;
    this.drawTrack();
    this.load();
    this.host.focus({ preventScroll: true });
  }

  leave() {
    document.removeEventListener("keydown", this.keys, true);
    this.stopShuttle();
  }

  // Seconds and frames of the film. Within a shot frames are equally long; its edges are exact.
  shotOf(test) {
    return this.data.shots.find(test);
  }

  frameAt(second) {
    const shot = this.shotOf(([, , from, to]) => second >= from - 1e-3 && second < to - 1e-3);
    if (!shot) {
      const last = this.data.shots.at(-1);
      if (last && Math.abs(second - last[3]) <= 2e-3) return last[1];
      return Math.max(0, Math.floor(second / this.data.frame_s + 0.01));
    }
    const [first, end, from, to] = shot;
    return first + Math.max(0, Math.floor(((second - from) / (to - from)) * (end - first) + 0.02));
  }

  secondAt(frame) {
    const shot = this.shotOf(([first, end]) => frame >= first && frame < end);
    const last = this.data.shots.at(-1);
    if (last && frame === last[1]) return last[3];
    if (!shot) return frame * this.data.frame_s;
    const [first, end, from, to] = shot;
    return from + ((frame - first) / (end - first)) * (to - from);
  }

  get offset() {
    return this.data.sources[this.source].offset_s;
  }

  get now() { // the frame that is shown
    return this.frameAt(this.video.currentTime + this.offset);
  }

  // A quarter of a frame in, so that rounding never shows the frame before.
  placeOf(frame) {
    return Math.max(0, this.secondAt(frame) - this.offset + this.data.frame_s / 4);
  }

  seek(frame) {
    this.video.currentTime = this.placeOf(Math.max(0, Math.min(frame, this.data.num_frames - 1)));
  }

  get stopAt() {
    return this.placeOf(this.out) - (this.data.frame_s * 3) / 4;
  }

  load() {
    this.say("");
    this.video.src = this.data.sources[this.source].address;
  }

  say(words) {
    this.find(".message").textContent = words;
    this.find(".message").hidden = !words;
  }

  start() {
    this.stopShuttle();
    this.video.playbackRate = 1;
    this.holding = true;
    this.seek(this.in);
    this.video.play().catch(() => {}); // a browser may want a click first
  }

  watch() {
    const { video } = this;
    if (!video.isConnected) return;
    if (this.holding && !video.paused && video.currentTime >= this.stopAt) {
      if (this.isLooping) this.seek(this.in);
      else {
        this.holding = false;
        video.pause();
        video.currentTime = this.stopAt;
      }
    }
    this.tell();
    if (!video.paused) requestAnimationFrame(() => this.watch());
  }

  get isLooping() {
    return this.find(".loop").getAttribute("aria-pressed") === "true";
  }

  told(frame) {
    const { clock, frame_s } = this.data;
    return clock ? timecode(frame, clock) : `${(frame * frame_s).toFixed(2)} s`;
  }

  tell() {
    const { data, now } = this;
    this.find(".where").textContent = this.told(now);
    const length = (this.out - this.in) * data.frame_s;
    this.find(".marks").textContent = `${this.told(this.in)} – ${this.told(this.out)}  ${length.toFixed(2)} s`;
    this.find(".toggle").textContent = this.video.paused ? "Play" : "Pause";
    this.find(".head").style.left = `${this.shareOf(this.video.currentTime + this.offset) * 100}%`;
    if (data.still) this.find(".still").href = `${data.still}${Math.min(now, data.num_frames - 1)}`;
    this.find(".track").setAttribute("aria-valuetext", this.told(now));
    this.find(".track").setAttribute("aria-valuenow", String(now));
  }

  drawTrack() {
    const { shots, start_s, end_s } = this.data;
    this.from = shots.length ? shots[0][2] : start_s;
    this.to = shots.length ? shots.at(-1)[3] : end_s;
    this.find(".shots").replaceChildren(
      ...shots.map(([, , from, to]) => {
        const part = document.createElement("span");
        part.style.flexGrow = String(to - from);
        return part;
      }),
    );
    this.drawSpan();
  }

  drawSpan() {
    const [left, right] = [this.in, this.out].map((frame) => this.shareOf(this.secondAt(frame)));
    const span = this.find(".span");
    span.style.left = `${left * 100}%`;
    span.style.width = `${Math.max(0, right - left) * 100}%`;
  }

  shareOf(second) {
    return Math.min(1, Math.max(0, (second - this.from) / (this.to - this.from || 1)));
  }

  step(frames) {
    this.stopShuttle();
    this.holding = false;
    this.video.pause();
    this.seek(this.now + frames);
  }

  setIn() {
    this.in = this.now;
    if (this.out <= this.in) this.out = this.shotOf(([first, end]) => this.in >= first && this.in < end)?.[1] ?? this.in + 1;
    this.marked();
  }

  setOut() {
    this.out = this.now + 1;
    if (this.in >= this.out) this.in = this.shotOf(([first, end]) => this.now >= first && this.now < end)?.[0] ?? this.now;
    this.marked();
  }

  marked() {
    this.holding = false;
    this.drawSpan();
    this.tell();
  }

  // L plays, and faster each time; J runs backwards by steps, and faster; K stops.
  forwards() {
    const wasBackwards = this.stopShuttle();
    const { video } = this;
    video.playbackRate = video.paused || wasBackwards ? 1 : Math.min(FASTEST, video.playbackRate * 2);
    this.holding = this.holding && video.playbackRate === 1;
    video.play().catch(() => {});
    this.shuttles(video.playbackRate);
  }

  backwards() {
    const speed = Math.min(FASTEST, (this.backwardsBy ?? 0.5) * 2);
    this.stopShuttle();
    this.holding = false;
    this.video.pause();
    this.video.playbackRate = 1;
    this.backwardsBy = speed;
    this.timer = setInterval(() => {
      if (!this.video.isConnected || this.video.currentTime <= 0) return this.stopShuttle();
      if (!this.video.seeking) this.video.currentTime -= (speed * BACKWARDS_EVERY_MS) / 1000;
    }, BACKWARDS_EVERY_MS);
    this.shuttles(-speed);
  }

  pause() {
    this.stopShuttle();
    this.video.pause();
    this.video.playbackRate = 1;
  }

  toggle() {
    if (this.stopShuttle() || !this.video.paused) this.pause();
    else this.video.play().catch(() => {});
  }

  stopShuttle() {
    const was = this.timer !== undefined;
    clearInterval(this.timer);
    this.timer = this.backwardsBy = undefined;
    this.shuttles(1);
    return was;
  }

  shuttles(speed) {
    this.find(".shuttle").textContent = speed === 1 ? "" : `${speed < 0 ? "◀" : "▶"} ${Math.abs(speed)}×`;
  }

  act(name) {
    if (this.data.offers.includes(name)) this.send("action", { name, start_frame: this.in, end_frame: this.out });
  }

  press(event) {
    if (!this.host.isConnected) return document.removeEventListener("keydown", this.keys, true);
    const at = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || at.matches?.("input, textarea, select, [contenteditable]")) return;
    const isButton = at.matches?.("button, a") && [" ", "Enter"].includes(event.key);
    const second = Math.round(1 / this.data.frame_s);
    const does = {
      j: () => this.backwards(), k: () => this.pause(), l: () => this.forwards(), " ": () => this.toggle(),
      i: () => this.setIn(), o: () => this.setOut(), p: () => this.start(),
      ArrowLeft: () => this.step(event.shiftKey ? -second : -1),
      ArrowRight: () => this.step(event.shiftKey ? second : 1),
      a: () => this.act("add"), "[": () => this.act("previous"), "]": () => this.act("next"),
      m: () => this.find(".mute").click(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does || isButton) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  }

  wire() {
    const { video, find } = this;
    const on = (selector, act) => (find(selector).onclick = act);
    video.onloadedmetadata = () => {
      if (video.videoWidth) find(".stage").style.setProperty("--shape", video.videoWidth / video.videoHeight);
      this.start();
    };
    video.onplay = video.ontimeupdate = video.onpause = () => this.watch();
    video.onclick = () => this.toggle();
    video.onseeked = () => {
      if (this.now < this.in || this.now > this.out) this.holding = this.isLooping;
      this.watch();
    };
    video.onerror = () => this.refused();
    on(".toggle", () => this.toggle());
    on(".replay", () => this.start());
    on(".back", () => this.step(-1));
    on(".forward", () => this.step(1));
    on(".set-in", () => this.setIn());
    on(".set-out", () => this.setOut());
    for (const name of ["previous", "next", "add"]) on(`.${name}`, () => this.act(name));
    this.presses(".loop", (isOn) => isOn && this.start());
    this.presses(".mute", (isOn) => (video.muted = isOn));
    this.presses(".guides-tall", (isOn) => (find(".tall").hidden = !isOn));
    this.presses(".guides-square", (isOn) => (find(".square").hidden = !isOn));
    const track = find(".track");
    const to = (event) => {
      const box = track.getBoundingClientRect();
      const second = this.from + ((event.clientX - box.left) / box.width) * (this.to - this.from);
      this.stopShuttle();
      this.seek(this.frameAt(Math.max(this.from, Math.min(second, this.to - this.data.frame_s / 2))));
    };
    track.onpointerdown = (event) => {
      track.setPointerCapture(event.pointerId);
      to(event);
    };
    track.onpointermove = (event) => track.hasPointerCapture(event.pointerId) && to(event);
  }

  presses(selector, act) {
    const button = this.find(selector);
    button.onclick = () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isOn));
      act(isOn);
    };
  }

  async refused() {
    if (this.source + 1 < this.data.sources.length) {
      this.source += 1;
      this.say("The browser does not play this file: making a preview of it…");
      this.video.src = this.data.sources[this.source].address;
      this.video.addEventListener("loadeddata", () => this.say(""), { once: true });
      return;
    }
    const reply = await fetch(this.video.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    this.say(reply && !reply.ok ? await reply.text() : "The browser cannot play this moment.");
  }
}
