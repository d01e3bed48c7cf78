(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = document.documentElement;
  const types = all(".type");
  root.classList.add("js");

  // What a reader chose stays chosen, where the browser lets a page remember.
  const remembered = (name, value) => {
    try {
      if (value !== undefined) localStorage.setItem(`catalogue.${name}`, value);
      return localStorage.getItem(`catalogue.${name}`);
    } catch {
      return null;
    }
  };

  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  const dress = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  let theme = themes.includes(remembered("theme")) ? remembered("theme") : "auto";
  dress(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remembered("theme", theme);
    dress(theme);
  });

  const filter = document.getElementById("filter");
  const found = document.getElementById("found");
  const nothing = document.querySelector(".nothing");
  const sift = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const type of types) {
      const fits = words.every((word) => type.dataset.words.includes(word));
      type.hidden = !fits;
      document.querySelector(`[data-of="${type.id}"]`).hidden = !fits;
      count += fits;
    }
    for (const group of all(".group")) {
      const inside = all(".type", group);
      if (inside.length) group.hidden = inside.every((type) => type.hidden);
    }
    for (const list of all(".toc ul:not(.about)")) {
      const empty = all("li", list).every((entry) => entry.hidden);
      list.hidden = empty;
      list.previousElementSibling.hidden = empty;
    }
    found.textContent = words.length ? `${count} of ${types.length} notifications` : `${types.length} notifications`;
    nothing.hidden = count > 0;
  };
  const clear = () => {
    filter.value = "";
    sift();
  };
  filter.addEventListener("input", sift);
  document.getElementById("all").addEventListener("click", () => {
    clear();
    filter.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== filter) {
      event.preventDefault();
      filter.focus();
    } else if (event.key === "Escape" && document.activeElement === filter) {
      clear();
    }
  });
  // A link may lead to what the filter hides.
  const uncover = () => {
    const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (aim?.hidden || aim?.closest("[hidden]")) {
      clear();
      aim.scrollIntoView();
    }
  };
  addEventListener("hashchange", uncover);
  if (filter.value) sift();

  const colour = (code) => {
    if (code.dataset.coloured) return;
    code.dataset.coloured = "yes";
    const parts = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;
    const text = code.textContent;
    const made = document.createDocumentFragment();
    let at = 0;
    for (const match of text.matchAll(parts)) {
      const word = match[1] ?? match[0];
      const span = document.createElement("span");
      span.className = match[2] ? "k" : match[1] ? "s" : "n";
      span.textContent = word;
      made.append(text.slice(at, match.index), span);
      at = match.index + word.length;
    }
    made.append(text.slice(at));
    code.replaceChildren(made);
  };

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  const samples = all(".samples");
  const forms = all(".sample", samples[0]).map((form) => [form.dataset.form, form.querySelector("h4").textContent]);
  const choose = (chosen) => {
    remembered("form", chosen);
    for (const form of all(".sample")) form.hidden = form.dataset.form !== chosen;
    for (const option of all(".choice button")) option.setAttribute("aria-pressed", String(option.dataset.form === chosen));
    for (const code of all(".samples[open] .sample:not([hidden]) code")) colour(code);
  };
  for (const sample of samples) {
    const bar = document.createElement("div");
    const choice = document.createElement("div");
    const copy = document.createElement("button");
    bar.className = "bar";
    choice.className = "choice";
    choice.setAttribute("role", "group");
    choice.setAttribute("aria-label", "Rendering");
    for (const [form, label] of forms) {
      const option = document.createElement("button");
      option.type = "button";
      option.dataset.form = form;
      option.textContent = label;
      option.addEventListener("click", () => choose(form));
      choice.append(option);
    }
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      const done = await copied(sample.querySelector(".sample:not([hidden]) code").textContent);
      copy.textContent = done ? "Copied" : "Not copied";
      setTimeout(() => { copy.textContent = "Copy"; }, 1600);
    });
    bar.append(choice, copy);
    sample.querySelector(".forms").prepend(bar);
    sample.addEventListener("toggle", () => {
      if (sample.open) for (const code of all(".sample:not([hidden]) code", sample)) colour(code);
    });
  }
  const last = remembered("form");
  choose(forms.some(([form]) => form === last) ? last : "json");

  const toc = document.querySelector(".toc");
  const narrow = matchMedia("(max-width: 60rem)");
  narrow.addEventListener("change", () => { toc.open = !narrow.matches; });
  toc.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) toc.open = false;
  });

  const links = new Map(all(".toc a[href^='#']").map((link) => [link.hash.slice(1), link]));
  const nav = document.querySelector("nav");
  const keepInView = (link) => {
    const at = link.getBoundingClientRect();
    const frame = nav.getBoundingClientRect();
    if (at.top < frame.top + 40) nav.scrollTop -= frame.top + 40 - at.top;
    else if (at.bottom > frame.bottom - 40) nav.scrollTop += at.bottom - frame.bottom + 40;
  };
  const inView = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links.values()) link.removeAttribute("aria-current");
        const link = links.get(entry.target.id);
        link?.setAttribute("aria-current", "true");
        if (link && !narrow.matches) keepInView(link);
      }
    },
    { rootMargin: "-15% 0px -75% 0px" },
  );
  for (const type of types) inView.observe(type);
})();
