// A chip a term: what kind it is, what it says, and a button that takes it away.
export default function ({ data, parentElement, setTriggerValue }) {
  const make = (tag, className, words) => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = words;
    return element;
  };
  const items = data.flatMap(({ chip_id, kind, text, joint }) => {
    const chip = make("li", `chip ${kind.startsWith("not") || kind === "unlike" ? "away" : ""}`, "");
    const away = make("button", "away", "×");
    away.type = "button";
    away.setAttribute("aria-label", `Take away ${kind} ${text}`);
    away.onclick = () => setTriggerValue("removed", chip_id);
    const words = make("span", "text", text);
    words.title = text;
    chip.append(make("span", "kind", kind), words, away);
    return joint ? [make("li", "joint", joint), chip] : [chip];
  });
  parentElement.querySelector(".chips").replaceChildren(...items);
}
