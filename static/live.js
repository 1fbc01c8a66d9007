// A page that follows the fleet. The stream says only that something changed; the page then reads itself anew and
// replaces in place what differs: rows keep their places, focus and scroll stay, and what came or went is announced.
(() => {
  const PAUSE = 1500; // ms between two readings, and the most by which tabs spread theirs
  const LONGEST = 60000; // ms between two readings of a page that the server can't give at the moment
  let known = 0; // the revision that is shown
  let wanted = 0;
  let away = null; // how many parts of Drydock are: what was told since the last reading began
  let reading = false;
  let pause = PAUSE; // until the next reading; longer each time while the page can't be read

  document.addEventListener("fleet", (event) => {
    const { revision, running, troubles } = JSON.parse(event.detail.data);
    const link = document.getElementById("running");
    if (link) {
      link.hidden = running === 0;
      link.querySelector("b").textContent = running;
    }
    known ||= Number(document.getElementById("fleet").dataset.revision);
    wanted = revision;
    away = troubles ?? 0;
    if ((parted() || wanted !== known && document.querySelector("[data-live]")) && !reading) {
      reading = true;
      setTimeout(read, Math.random() * PAUSE);
    }
  });

  // A card that looks again by itself has the rest of its page follow.
  document.addEventListener("drydock:read", () => {
    if (reading) return;
    reading = true;
    read();
  });

  // Whether workers, beat or Redis went away or came back since the page was drawn.
  function parted() {
    const note = document.getElementById("engine");
    return away !== null && note !== null && Number(note.dataset.troubles) !== away;
  }

  async function read() {
    const asked = location.href;
    away = null;
    const revision = wanted;
    pause = Math.min(pause * 2, LONGEST);
    try {
      const answer = await fetch(asked, { headers: { "Drydock-Live": "true" } });
      if (answer.ok && !answer.redirected && asked === location.href) {
        update(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
      if (asked !== location.href) {
        pause = PAUSE; // somebody went on: the page that is here now is read
      } else if (answer.ok || answer.status < 500 && answer.status !== 429) {
        // Read, or not to be had any more: somebody logged out (then it leads to the login, which must not take the
        // page's place) or what it shows is gone. The page stays as it is, and is read when there is more news.
        known = revision;
        pause = PAUSE;
      }
    } catch {
      // The connection is away: the stream comes back, tells the revision again, and the page is read then.
    }
    setTimeout(() => {
      reading = false;
      if ((wanted !== known || parted()) && navigator.onLine) {
        reading = true;
        read();
      }
    }, pause);
  }

  function update(next) {
    const note = document.getElementById("engine");
    const noted = next.getElementById("engine");
    if (note && noted && differs(note, noted)) {
      note.dataset.troubles = noted.dataset.troubles;
      replace(note, noted);
    }
    const rail = document.getElementById("rail"); // whose counts are the fleet's
    const counted = next.getElementById("rail");
    if (rail && counted && differs(rail, counted)) replace(rail, counted);
    const row = rowInSight();
    const top = row?.getBoundingClientRect().top;
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = next.getElementById(part.id);
      if (part.dataset.live === "rows") updateRows(part, fresh);
      else if (fresh && differs(part, fresh)) replace(part, fresh);
    }
    if (row?.isConnected) scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
  }

  // The row that must not move while rows above it grow: the one in use, else the first that is in sight. At the top of
  // the page nothing is above. (app.css turns the browser's own anchoring off: it loses its hold when rows are replaced.)
  function rowInSight() {
    if (!scrollY) return null;
    const seen = (row) => { const { top, bottom } = row.getBoundingClientRect(); return bottom > 60 && top < innerHeight; };
    const rows = [...document.querySelectorAll("[data-live='rows'] > tr")].filter(seen);
    return rows.find((row) => row.contains(document.activeElement)) ?? rows[0];
  }

  function updateRows(body, fresh) {
    const rows = new Map([...(fresh?.rows ?? [])].map((row) => [row.id, row]));
    let left = 0;
    const heads = (row) => row.matches(":not(.same)") ? 1 : 0; // of several lines of one thing the first is counted
    for (const row of body.rows) {
      const now = rows.get(row.id);
      row.classList.toggle("left", !now);
      left += now ? 0 : heads(row);
      rows.delete(row.id);
      if (now && differs(row, now)) replace(row, now);
    }
    const news = document.getElementById("list-news");
    if (!news) return;
    const more = [...rows.values()].filter(heads).length;
    const said = [
      more ? `${more} more here now` : "",
      left ? `${left} no longer here` : "",
    ].filter(Boolean).join(", ");
    news.hidden = !said;
    news.querySelector("span").textContent = said;
    if (said) news.querySelector("a").href = location.href;
  }

  // Relative times differ with every reading and are no news.
  function differs(old, fresh) {
    const bare = (element) => element.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1");
    return bare(old) !== bare(fresh);
  }

  function replace(old, fresh) {
    const focusable = (element) => [...element.querySelectorAll("a, button, input, select, summary")];
    const at = focusable(old).indexOf(document.activeElement);
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    const ticked = [...old.querySelectorAll("input[type=checkbox]:checked")].map((input) => input.value);
    old.replaceChildren(...document.importNode(fresh, true).childNodes);
    old.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? details.open; });
    old.querySelectorAll("input[type=checkbox]").forEach((input) => { input.checked ||= ticked.includes(input.value); });
    htmx.process(old);
    if (at >= 0) focusable(old)[at]?.focus({ preventScroll: true });
  }
})();
