/** Line charts that share their x axis, crosshair and smoothing. */

const CHART_HEIGHT = 190;
const MARGIN = {left: 48, right: 12, top: 8, bottom: 22};

/** What is drawn, where the run has it: series are [metric, label, dots]. */
const CHARTS = [
  {title: 'Instruction-level accuracy (ILA)', format: percent, floor: 0, series: [['ila', 'sampled'], ['eval.ila', 'held-out', true], ['eval.sound_ila', 'held-out, sound answers', true]]},
  {title: 'Constraint-level accuracy (CLA)', format: percent, series: [['cla', 'sampled'], ['eval.cla', 'held-out', true]]},
  {title: 'Held-out answers that are none', format: percent, floor: 0, alarm: 'alarm.hollow', series: [['eval.empty', 'empty', true], ['eval.markup', 'markup', true], ['eval.repetition', 'repetition', true], ['eval.off_topic', 'off topic', true]]},
  {title: 'Probes', format: percent, floor: 0, series: [['eval.probes_kept', 'constraints kept', true], ['eval.probes_answered', 'and answered', true]]},
  {title: 'Reward', floor: 0, series: [['reward', 'mean'], ['reward_std', 'standard deviation']]},
  {title: 'Entropy, nats per token', floor: 0, series: [['entropy', 'policy']], alarm: 'alarm.entropy'},
  {title: 'KL from the reference, nats per token', series: [['kl', 'sampled']], alarm: 'alarm.kl'},
  {title: 'Clip fraction', format: percent, floor: 0, series: [['clip_fraction', 'originals'], ['replay_clip_fraction', 'replays']]},
  {title: 'Movement of the update (approx. KL)', series: [['approx_kl', 'originals'], ['replay_approx_kl', 'replays']]},
  {title: 'Gradient norm before clipping', floor: 0, series: [['grad_norm', 'mean of updates']]},
  {title: 'Loss', series: [['loss', 'mean of updates']]},
  {title: 'Length in tokens', floor: 0, series: [['response_tokens', 'response'], ['response_tokens_max', 'longest response'], ['prompt_tokens', 'prompt']]},
  {title: 'Length of held-out answers in tokens', floor: 0, series: [['eval.tokens', 'mean', true]]},
  {title: 'Different trigrams of held-out answers', format: percent, floor: 0, series: [['eval.distinct_3', 'distinct-3', true]]},
  {title: 'Held-out answers under the reference, nats per token', series: [['eval.ref_logprob', 'log-prob', true]]},
  {title: 'Rows per step', floor: 0, format: whole, series: [['sampled', 'sampled'], ['replayed', 'replayed'], ['skipped_rows', 'skipped']]},
  {title: 'CLA of replayed responses', format: percent, series: [['replay_cla', 'under their original instruction']]},
  {title: 'Weight of CLA in selection (lambda)', series: [['lambda', 'lambda']]},
  {title: 'Mismatch of decoding and scoring, nats', floor: 0, series: [['logprob_mismatch', 'mean'], ['logprob_mismatch_max', 'largest']], alarm: 'alarm.mismatch'},
  {title: 'Responses cut off at the limit', format: percent, floor: 0, series: [['truncated', 'of sampled'], ['eval.truncated', 'held-out', true]], alarm: 'alarm.truncation'},
  {title: 'Verdicts that failed', format: percent, floor: 0, series: [['verifier_failures', 'of all']], alarm: 'alarm.verifier'},
  {title: 'Learning rate', floor: 0, series: [['lr', 'last update']]},
  {title: 'Weight of the KL penalty', floor: 0, series: [['kl_beta', 'beta']]},
  {title: 'Seconds per step', floor: 0, series: [['seconds.rollout', 'rollout'], ['seconds.verify', 'verify'], ['seconds.logprob', 'log-probs'], ['seconds.update', 'update']]},
  {title: 'Decoding, tokens per second', floor: 0, format: whole, series: [['tokens_per_s', 'generated']]},
  {title: 'Memory in use, GiB', floor: 0, series: [['memory_gib', 'at the end of a step']]},
];

/** Two to six round values that span [low, high]. */
function ticks(low, high) {
  const rough = (high - low) / 5;
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.push(i * step);
  return values;
}

/** As many decimals of a percentage as tell neighbouring marks apart. */
function percentDigits(marks) {
  const step = marks.length > 1 ? marks[1] - marks[0] : 1;
  return Math.max(0, -Math.floor(Math.log10(100 * step) + 1e-9));
}

/** Exponential moving average that starts unbiased and steps over what is not a number. */
function smooth(values, weight) {
  let sum = 0;
  let total = 0;
  return values.map(value => {
    if (!isNumber(value)) return value;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

function compact(value) {
  const size = Math.abs(value);
  for (const [unit, suffix] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (size >= unit) return Number((value / unit).toPrecision(3)) + suffix;
  }
  return size > 0 && size < 1e-4 ? Number(value.toPrecision(3)).toExponential() : number(value);
}

class Chart {
  /** @param {points: {steps, x, values}} series each with its own x positions */
  constructor(spec, series, descriptions, alarm) {
    this.spec = spec;
    this.series = series;
    this.alarm = alarm;
    this.format = spec.format || number;
    this.values = series.map(() => el('b'));
    this.drawing = svg('svg', {height: CHART_HEIGHT, role: 'img'});
    this.legend = el('ul', {class: 'legend'}, series.map((line, i) =>
      el('li', {title: descriptions[i]},
        el('span', {class: `s${i + 1}`}, el('i', {class: line.dots ? 'key dots' : 'key'})),
        line.label + ' ', this.values[i])));
    const broken = series.reduce((n, line) => n + line.raw.filter(value => typeof value === 'string').length, 0);
    if (broken) this.legend.append(el('li', {class: 'down'}, `${broken} not finite`));
    this.node = el('article', {class: 'card chart'},
      el('h3', {title: descriptions.join('\n')}, spec.title), this.legend, this.drawing);
  }

  draw(view) {
    this.view = view;
    const width = Math.max(240, this.drawing.clientWidth || this.node.clientWidth - 26);
    const inner = {left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: CHART_HEIGHT - MARGIN.bottom};
    const drawn = this.series.map(line => line.dots || !view.smoothing ? line.raw : smooth(line.raw, view.smoothing));
    const xs = this.series.flatMap(line => line.x[view.axis]).filter(isNumber);
    // With smoothing the smoothed lines set the range, so that single spikes do not flatten them.
    const ys = drawn.flat().filter(isNumber);
    let [low, high] = [Math.min(...ys), Math.max(...ys)];
    if (this.spec.floor !== undefined) low = Math.min(low, this.spec.floor);
    if (high - low < 1e-12) {
      const room = Math.abs(low) * 0.1 || 0.01;
      [low, high] = [low === this.spec.floor ? low : low - room, high + room];
    }
    const pad = (high - low) * 0.05;
    high += pad;
    if (low !== this.spec.floor) low -= pad;
    const [first, last] = [Math.min(...xs), Math.max(...xs)];
    this.toX = x => inner.left + (last > first ? (x - first) / (last - first) : 0.5) * (inner.right - inner.left);
    this.toY = y => inner.bottom - (y - low) / (high - low) * (inner.bottom - inner.top);
    const clip = y => Math.max(inner.top - 4, Math.min(inner.bottom + 4, this.toY(y)));

    const layers = [];
    if (this.alarm) {
      const half = (inner.right - inner.left) / Math.max(1, this.alarm.length - 1) / 2;
      this.alarm.forEach((on, i) => {
        if (!on) return;
        const x = this.toX(this.series[0].x[view.axis][i]);
        layers.push(svg('rect', {class: 'alarm', x: x - half, width: 2 * half, y: inner.top, height: inner.bottom - inner.top}));
      });
    }
    const marks = ticks(low, high);
    const digits = percentDigits(marks);
    for (const y of marks) {
      layers.push(
        svg('line', {class: 'gridline', x1: inner.left, x2: inner.right, y1: this.toY(y), y2: this.toY(y)}),
        svg('text', {x: inner.left - 6, y: this.toY(y) + 4, 'text-anchor': 'end'}, this.format === percent ? percent(y, digits) : compact(y)));
    }
    for (const x of last > first ? ticks(first, last) : [first]) {
      layers.push(svg('text', {x: this.toX(x), y: CHART_HEIGHT - 6, 'text-anchor': 'middle'}, compact(x)));
    }
    layers.push(svg('line', {class: 'axis', x1: inner.left, x2: inner.right, y1: inner.bottom, y2: inner.bottom}));
    this.series.forEach((line, i) => {
      const x = line.x[view.axis];
      const group = svg('g', {class: `s${i + 1}`});
      if (drawn[i] !== line.raw) group.append(this.curve(x, line.raw, clip, 'curve raw'));
      group.append(this.curve(x, drawn[i], clip, 'curve'));
      const points = line.raw.map((y, j) => [x[j], y]).filter(([px, py]) => isNumber(px) && isNumber(py));
      if (line.dots || points.length === 1) {
        points.forEach(([px, py]) => group.append(svg('circle', {class: 'dot', cx: this.toX(px), cy: clip(py), r: 3.5})));
      }
      layers.push(group);
    });
    this.cross = svg('line', {class: 'crosshair', y1: inner.top, y2: inner.bottom, visibility: 'hidden'});
    this.drawing.replaceChildren(...layers, this.cross);
    this.drawing.setAttribute('aria-label', this.spec.title + ': ' + this.series.map(line => {
      const known = line.raw.filter(isNumber);
      return `${line.label} from ${this.format(known[0])} to ${this.format(known[known.length - 1])}`;
    }).join(', '));
    this.inner = inner;
    this.point(null);
  }

  curve(x, values, clip, name) {
    let path = '';
    let pen = false;
    values.forEach((y, i) => {
      if (y === null) return; // steps without this value are bridged
      if (!isNumber(y) || !isNumber(x[i])) {
        pen = false;
        return;
      }
      path += `${pen ? 'L' : 'M'}${this.toX(x[i]).toFixed(1)},${clip(y).toFixed(1)}`;
      pen = true;
    });
    return svg('path', {class: name, d: path || 'M0,0'});
  }

  /** Shows the values at a step, or the last ones; where a step has none, the latest before it. */
  point(step) {
    this.series.forEach((line, i) => {
      let at = step === null ? line.raw.length - 1 : line.steps.findLastIndex(known => known <= step);
      while (at > 0 && line.raw[at] === null) at--;
      this.values[i].textContent = at < 0 ? MISSING : this.format(line.raw[at]);
    });
    if (step === null) {
      this.cross.setAttribute('visibility', 'hidden');
      return;
    }
    const line = this.series.find(candidate => !candidate.dots) || this.series[0];
    const x = this.toX(line.x[this.view.axis][Math.max(0, line.steps.indexOf(step))]);
    this.cross.setAttribute('x1', x);
    this.cross.setAttribute('x2', x);
    this.cross.setAttribute('visibility', 'visible');
  }
}

class Charts {
  constructor(run, host) {
    this.run = run;
    this.host = host;
    this.axes = {step: [run.step, 0], rollouts: [this.column('rollouts'), 0], generated_tokens: [this.column('generated_tokens'), 0]};
    this.view = {axis: 'step', smoothing: run.step.length > 40 ? 0.6 : 0};
    this.charts = CHARTS.map(spec => this.chart(spec)).filter(chart => chart);
    host.append(...this.charts.map(chart => chart.node));
    this.controls();
    new ResizeObserver(() => this.draw()).observe(host);
    host.addEventListener('pointermove', event => this.hover(event));
    host.addEventListener('pointerleave', () => this.point(null));
    this.draw();
  }

  column(key) {
    const metric = this.run.metrics[key];
    return metric ? metric.values : null;
  }

  chart(spec) {
    const known = spec.series.filter(([key]) => (this.column(key) || []).some(isNumber));
    if (!known.length) return null;
    if (['lr', 'kl_beta'].includes(known[0][0]) && new Set(this.column(known[0][0])).size === 1) return null;
    const series = known.map(([key, label, dots]) => this.series(key, label, dots));
    const alarm = spec.alarm && this.column(spec.alarm);
    return new Chart(spec, series, known.map(([key]) => this.run.metrics[key].description), alarm);
  }

  /** Held-out accuracy also has a value before the first step, at 0 of every axis. */
  series(key, label, dots) {
    const start = this.run.summary && this.run.summary.before;
    const before = start && key.startsWith('eval.') ? [start[key.slice(5)]] : [];
    const x = {};
    for (const [axis, [values, zero]] of Object.entries(this.axes)) {
      if (values) x[axis] = before.map(() => zero).concat(values);
    }
    return {label, dots, raw: before.concat(this.column(key)), steps: before.map(() => 0).concat(this.run.step), x};
  }

  controls() {
    const names = {step: 'training steps', rollouts: 'rollouts', generated_tokens: 'generated tokens'};
    const axis = byId('axis');
    for (const key of Object.keys(names)) {
      if (this.axes[key][0]) axis.append(el('option', {value: key}, names[key]));
    }
    axis.addEventListener('change', () => {
      this.view.axis = axis.value;
      this.draw();
    });
    const smoothing = byId('smoothing');
    smoothing.value = this.view.smoothing;
    smoothing.addEventListener('input', () => {
      this.view.smoothing = Number(smoothing.value);
      this.draw();
    });
  }

  draw() {
    this.charts.forEach(chart => chart.draw(this.view));
  }

  hover(event) {
    const chart = this.charts.find(candidate => candidate.drawing.contains(event.target));
    if (!chart) return;
    const x = event.clientX - chart.drawing.getBoundingClientRect().left;
    const xs = this.axes[this.view.axis][0];
    let nearest = 0;
    xs.forEach((value, i) => {
      if (Math.abs(chart.toX(value) - x) < Math.abs(chart.toX(xs[nearest]) - x)) nearest = i;
    });
    this.point(nearest);
  }

  point(at) {
    const step = at === null ? null : this.run.step[at];
    const rollouts = at === null ? null : this.axes.rollouts[0] && this.axes.rollouts[0][at];
    byId('at').textContent = step === null ? '' : `step ${step}` + (rollouts ? `, ${whole(rollouts)} rollouts` : '');
    this.charts.forEach(chart => chart.point(step));
  }
}
