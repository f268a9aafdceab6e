// Search without a server: ENTRIES, [{title, url, text}], stands above in the same file, so nothing is fetched.
const box = document.getElementById("search"), found = document.getElementById("found");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  found.replaceChildren();
  if (!words.length || box.value.trim().length < 2 && box.value.charCodeAt(0) < 256) return;
  const hits = [];
  for (const entry of ENTRIES) {
    const title = entry.title.toLowerCase(), text = entry.text.toLowerCase();
    if (words.every(word => title.includes(word) || text.includes(word)))
      hits.push([words.filter(word => title.includes(word)).length, entry]);
  }
  hits.sort((a, b) => b[0] - a[0]);
  for (const [, entry] of hits.slice(0, 20)) {
    const p = document.createElement("p"), a = document.createElement("a"), small = document.createElement("small");
    const at = Math.max(0, entry.text.toLowerCase().indexOf(words[0]));
    a.href = document.documentElement.dataset.root + entry.url;
    a.textContent = entry.title;
    small.textContent = (at > 40 ? "… " : "") + entry.text.slice(Math.max(0, at - 40), at + 110).replace(/\s+/g, " ");
    p.append(a, small);
    found.append(p);
  }
  if (!hits.length) found.textContent = "–";
});
document.addEventListener("keydown", e => { if (e.key === "Escape") { box.value = ""; found.replaceChildren(); } });
