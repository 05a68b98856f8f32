// The limit as a slider: what the rule would have done is told while it moves. Without this a number and a button do it.
(() => {
  const box = document.getElementById('limit');
  const form = document.getElementById('try');
  const target = document.getElementById('backtest');
  if (!box || !form || !target) return;
  const said = form.querySelector('output');
  const { least, most, step } = box.dataset;
  const value = box.value;
  box.type = 'range';
  Object.assign(box, { min: least, max: most, step });
  box.value = value;
  let timer = 0, asked = null;
  const show = () => { said.textContent = Number(box.value).toPrecision(4); };
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams(new FormData(form));
    target.setAttribute('aria-busy', 'true');
    try {
      const reply = await fetch(`/rules/backtest?${query}`, { signal: asked.signal });
      if (reply.ok) {
        target.innerHTML = await reply.text();
        target.dispatchEvent(new Event('drawn', { bubbles: true }));
      }
    } catch (error) {
      if (error.name !== 'AbortError') throw error;
    } finally {
      target.removeAttribute('aria-busy');
    }
  };
  box.addEventListener('input', () => { show(); clearTimeout(timer); timer = setTimeout(ask, 150); });
  show();
})();
