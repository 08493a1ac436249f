// Plays one moment of a film: from its in point, stopping at its out point. After that first stop,
// or when somebody seeks outside the moment, the film simply goes on.
export default function ({ data, parentElement }) {
  const find = (selector) => parentElement.querySelector(selector);
  const video = find("video");
  const moment = `${data.sources[0].address}#${data.start_s},${data.end_s}`;
  if (video.dataset.moment === moment) return; // drawn again: go on playing
  video.dataset.moment = moment;

  let source = 0;
  let holding = true; // stop at the out point
  const offset = () => data.sources[source].offset_s;
  // A quarter of a frame in, so that rounding never shows the frame before.
  const inPoint = () => data.start_s - offset() + data.frame_s / 4;
  const outPoint = () => data.end_s - offset() - data.frame_s / 2;
  const loop = find(".loop");
  const isLooping = () => loop.getAttribute("aria-pressed") === "true";

  const say = (words) => {
    find(".message").textContent = words;
    find(".message").hidden = !words;
  };
  const start = () => {
    holding = true;
    video.currentTime = inPoint();
    video.play().catch(() => {}); // a browser may want a click first
  };
  const load = () => {
    say("");
    video.src = data.sources[source].address;
  };
  const watch = () => {
    if (!video.isConnected) return;
    const now = video.currentTime;
    const into = now + offset() - data.start_s;
    find(".where").textContent =
      `${into < 0 ? "−" : "+"}${Math.abs(into).toFixed(2)} s of ${(data.end_s - data.start_s).toFixed(2)} s`;
    if (holding && !video.paused && now >= outPoint()) {
      if (isLooping()) video.currentTime = inPoint();
      else {
        holding = false;
        video.pause();
        video.currentTime = outPoint();
      }
    }
    if (!video.paused) requestAnimationFrame(watch);
  };
  const step = (frames) => {
    holding = false;
    video.pause();
    video.currentTime = Math.max(0, video.currentTime + frames * data.frame_s);
  };

  video.classList.toggle("sound-only", !data.has_picture);
  for (const name of [".back", ".forward"]) find(name).hidden = !data.has_picture;
  if (data.poster) video.poster = data.poster;
  video.onloadedmetadata = start;
  video.onplay = video.ontimeupdate = watch;
  video.onseeked = () => {
    const now = video.currentTime;
    if (now < inPoint() - data.frame_s || now > outPoint() + data.frame_s) holding = isLooping();
    watch();
  };
  video.onerror = async () => {
    if (source + 1 < data.sources.length) {
      source += 1;
      say("The browser does not play this file: making a preview of it…");
      video.src = data.sources[source].address;
      video.addEventListener("loadeddata", () => say(""), { once: true });
      return;
    }
    const reply = await fetch(video.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    say(reply && !reply.ok ? await reply.text() : "The browser cannot play this moment.");
  };
  find(".replay").onclick = start;
  find(".back").onclick = () => step(-1);
  find(".forward").onclick = () => step(1);
  loop.onclick = () => {
    loop.setAttribute("aria-pressed", String(!isLooping()));
    if (isLooping()) start();
  };
  load();
}
