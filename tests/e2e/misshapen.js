// What a person would see is wrong with the shape of the page as it stands, a sentence each: it is wider than the screen;
// a text is cut off or hangs out of its box, a button or a field out of its card; a chip, a word, a short name or a part of a
// reference is broken over two lines. What scrolls by itself, and what ends in an ellipsis on purpose, is neither.
() => {
  const screen = document.documentElement.clientWidth;
  const found = new Set();
  const styles = new Map();
  const style = (element) => styles.get(element) ?? styles.set(element, getComputedStyle(element)).get(element);
  const named = (element) => element.tagName.toLowerCase() + [...element.classList].map((one) => `.${one}`).join("");
  const say = (what, element, text) => found.add(`${what}: ${named(element)} “${text.trim().slice(0, 50)}”`);
  const hidden = new Map(); // not there at all, or for those alone who listen to the page
  const unseen = (element) => {
    if (!hidden.has(element)) {
      const box = element.getBoundingClientRect();
      const tiny = style(element).position === "absolute" && (box.width <= 1 || box.right < 0);
      const above = element.parentElement;
      hidden.set(element, tiny || !element.checkVisibility({ visibilityProperty: true }) || Boolean(above && unseen(above)));
    }
    return hidden.get(element);
  };
  const ends = (element) => style(element).textOverflow === "ellipsis" || style(element).webkitLineClamp !== "none";
  const scrolls = (element) => ["auto", "scroll"].includes(style(element).overflowX);
  const cuts = (element) => ["hidden", "clip"].includes(style(element).overflowX);

  const boxesOf = (node, from = 0, to = node.length) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return [...range.getClientRects()].filter((box) => box.width > 1);
  };

  function held(node, element) {
    const boxes = boxesOf(node);
    const left = Math.min(...boxes.map((box) => box.left));
    const right = Math.max(...boxes.map((box) => box.right));
    let own = true; // the box that the text is in, whatever inline elements are between
    for (let around = element; around && boxes.length; around = around.parentElement) {
      if (scrolls(around) || ends(around)) return;
      const box = around.getBoundingClientRect();
      const block = !["inline", "contents"].includes(style(around).display);
      const beyond = right > box.right + 1.5 || left < box.left - 1.5;
      if (block && beyond && cuts(around)) return say("cut off", element, node.data);
      if (block && own && beyond) return say("hangs out of its box", element, node.data);
      own &&= !block;
    }
    if (boxes.length && (right > screen + 1 || left < -1)) say("beyond the screen", element, node.data);
  }

  function whole(node, element) {
    if (element.closest(".dg, .bdg, kbd, time")) {
      const tops = new Set(boxesOf(node).map((box) => Math.round(box.bottom / 8)));
      if (tops.size > 1) say("broken inside", element, node.data);
    }
    if (element.closest(".name")) { // of what is as short as python:3.12, nothing is broken off
      for (const { 0: word, index } of node.data.matchAll(/(?<=^|[\s\/-])[\p{L}\d.:]{2,15}(?=$|[\s\/-])/gu)) {
        const [first, ...others] = boxesOf(node, index, index + word.length);
        if (others.some((box) => box.top > first.bottom - 2)) say(`the name “${word}” is broken`, element, node.data);
      }
    }
    if (!element.closest("pre, code, .log, textarea")) { // of a reference, an ARN, a mail address no part is, which ends lines
      for (const { 0: part, index } of node.data.matchAll(/(?<=^|[\s\/:@.-])[\p{L}\d]{2,12}(?=$|[\s\/:@.,;-])/gu)) {
        const [first, ...others] = boxesOf(node, index, index + part.length);
        if (others.some((box) => box.top > first.bottom - 2)) say(`“${part}” is broken`, element, node.data);
      }
    }
    if (element.closest("pre, code, .mono, .wrap, .name, .log, textarea, h1")) return; // what others wrote, of any length
    for (const { 0: word, index } of node.data.matchAll(/(?<=^|\s)[\p{L}.]{2,20}(?=$|[\s,;:.)])/gu)) {
      const [first, ...others] = boxesOf(node, index, index + word.length);
      if (others.some((box) => box.top > first.bottom - 2)) say(`the word “${word}” is broken`, element, node.data);
    }
  }

  for (const control of document.querySelectorAll(".tbl.cards tbody :is(button, input, select, .btn)")) {
    const card = control.closest("tr");
    const beyond = control.getBoundingClientRect().right > card.getBoundingClientRect().right + 1;
    if (style(card).display === "block" && beyond && !unseen(control)) say("hangs out of its card", control, control.innerText);
  }
  if (document.documentElement.scrollWidth > screen) {
    found.add(`the page is ${document.documentElement.scrollWidth} px wide`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, style, noscript, option, svg, textarea") || unseen(element)) continue;
    if (!element.closest("pre, .log")) held(node, element); // which scroll, and whose spaces hang at the ends of lines
    whole(node, element);
  }
  return [...found];
}
