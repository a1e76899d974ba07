/** The table of rollouts: filters, pages, and a row's instruction, verdicts and response on demand. */

const PAGE = 50;
/** Longer texts are folded until they are asked for. */
const LONG_TEXT = 1500;
const LONG_LINES = 18;
const SNIPPET = 200;
const MARKS = {satisfied: '\u2713', violated: '\u2717', failed: '!', no_verdict: '?'};
const OUTCOMES = {satisfied: 'satisfied', violated: 'violated', failed: 'verifier failed', no_verdict: 'no verdict'};

/** The first characters of a text, no emoji cut in half. */
const start = text => [...text.slice(0, 2 * SNIPPET)].slice(0, SNIPPET).join('').trim();

/** A text's element; a long one is folded, with a button that unfolds it. */
function foldable(node, text) {
  if (text.length <= LONG_TEXT && text.split('\n').length <= LONG_LINES) return node;
  const size = `${text.length.toLocaleString('en')} characters`;
  const button = el('button', {type: 'button', class: 'fold', 'aria-expanded': 'false', onclick: () => {
    const folded = node.classList.toggle('folded');
    button.textContent = folded ? `show all ${size}` : 'show less';
    button.setAttribute('aria-expanded', String(!folded));
  }}, `show all ${size}`);
  node.classList.add('folded');
  return [node, button];
}

class Rollouts {
  constructor(run) {
    this.run = run;
    this.rows = run.rollouts;
    this.byPlace = new Map(this.rows.map(row => [`${row.step}.${row.index}`, row]));
    this.replayOf = new Map(this.rows.filter(row => row.of !== undefined).map(row => [`${row.step}.${row.of}`, row]));
    this.state = this.fromAddress();
    this.describe();
    this.filters();
    this.draw();
    window.addEventListener('hashchange', () => {
      this.state = this.fromAddress();
      this.filters();
      this.draw();
    });
  }

  /** Filters and open rows live in the address, so that a view can be linked to. */
  fromAddress() {
    const query = new URLSearchParams(location.hash.split('?')[1] || '');
    return {
      step: query.get('step') || '', outcome: query.get('outcome') || '', kind: query.get('kind') || '',
      type: query.get('type') || '', verdict: query.get('verdict') || '', text: query.get('text') || '',
      page: Number(query.get('page')) || 0, open: new Set((query.get('open') || '').split(',').filter(place => place)),
    };
  }

  toAddress() {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(this.state)) {
      const text = key === 'open' ? [...value].join(',') : String(value || '');
      if (text) query.set(key, text);
    }
    const text = query.toString();
    history.replaceState(null, '', '#rollouts' + (text ? '?' + text : ''));
  }

  change(key, value) {
    this.state[key] = value;
    if (key !== 'page') this.state.page = 0;
    if (key === 'type' && !value) this.state.verdict = '';
    this.toAddress();
    this.draw();
  }

  describe() {
    const {dumpedSteps, shownSteps} = this.run;
    byId('shown').textContent = !dumpedSteps ? 'This run wrote no rollouts (log.rollouts).'
      : `${this.rows.length.toLocaleString('en')} trained rows of ${shownSteps.length} of ${dumpedSteps} steps`
        + (shownSteps.length < dumpedSteps ? '; hir report --rows N takes more.' : '.');
  }

  filters() {
    const types = [...new Set(this.run.instructions.flatMap(x => x.constraints.map(c => c.type)))].filter(t => t).sort();
    const any = ['', 'all'];
    const state = this.state;
    const box = (label, key, options) => el('label', {}, label,
      select(options, state[key], value => this.change(key, value), {id: `filter-${key}`}));
    const search = el('input', {type: 'search', id: 'filter-text', placeholder: 'in response or instruction'});
    search.value = state.text;
    search.addEventListener('input', () => this.change('text', search.value));
    byId('filters').replaceChildren(
      box('step', 'step', [any, ...this.run.shownSteps.map(step => [String(step), String(step)])]),
      box('rows', 'kind', [any, ['original', 'originals'], ['replay', 'replays'], ['replayed', 'originals that were replayed']]),
      box('satisfied', 'outcome', [any, ['every', 'all constraints'], ['some', 'some'], ['none', 'none']]),
      box('constraint', 'type', [any, ...types.map(type => [type, type])]),
      box('verdict', 'verdict', [any, ...Object.entries(OUTCOMES)]),
      el('label', {}, 'search', search));
  }

  matches(row) {
    const {step, outcome, kind, type, verdict, text} = this.state;
    if (step && row.step !== Number(step)) return false;
    if (kind === 'original' && row.of !== undefined) return false;
    if (kind === 'replay' && row.of === undefined) return false;
    if (kind === 'replayed' && !this.replayOf.has(`${row.step}.${row.index}`)) return false;
    const good = row.verdicts.filter(([name]) => name === 'satisfied').length;
    const met = good === row.verdicts.length ? 'every' : good === 0 ? 'none' : 'some';
    if (outcome && outcome !== met) return false;
    const asked = this.run.instructions[row.instruction];
    if (type || verdict) {
      const hit = row.verdicts.some(([name], i) =>
        (!type || (asked.constraints[i] || {}).type === type) && (!verdict || name === verdict));
      if (!hit) return false;
    }
    if (!text) return true;
    const wanted = text.toLowerCase();
    return row.response.toLowerCase().includes(wanted) || asked.prompt.toLowerCase().includes(wanted)
      || asked.id.toLowerCase() === wanted;
  }

  draw() {
    const found = this.rows.filter(row => this.matches(row));
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(this.state.page, pages - 1);
    const table = el('table', {class: 'rows'},
      el('thead', {}, el('tr', {},
        ['step', 'row', 'instruction', 'kind'].map(name => el('th', {}, name)),
        el('th', {title: 'Verdicts under the original instruction'}, 'constraints'),
        [['reward', 'Before the KL penalty'], ['advantage', 'Mean over the tokens'],
          ['entropy', 'Mean over the tokens, in nats'], ['tokens', 'Of the response']].map(([name, title]) =>
          el('th', {class: 'number', title}, name)),
        el('th', {}, 'response'))),
      el('tbody', {}, found.slice(page * PAGE, (page + 1) * PAGE).flatMap(row => this.row(row))));
    const move = by => this.change('page', page + by);
    byId('table').replaceChildren(table, el('div', {class: 'pages'},
      el('button', {type: 'button', disabled: page === 0, onclick: () => move(-1)}, 'previous'),
      el('span', {id: 'count'}, `${found.length.toLocaleString('en')} ${found.length === 1 ? 'row' : 'rows'}, page ${page + 1} of ${pages}`),
      el('button', {type: 'button', disabled: page >= pages - 1, onclick: () => move(1)}, 'next')));
  }

  toggle(place) {
    const open = this.state.open;
    if (!open.delete(place)) open.add(place);
    this.toAddress();
    this.draw();
  }

  row(row) {
    const place = `${row.step}.${row.index}`;
    const open = this.state.open.has(place);
    const good = row.verdicts.filter(([name]) => name === 'satisfied').length;
    const asked = this.run.instructions[row.instruction];
    const line = el('tr', {class: open ? 'row open' : 'row', onclick: () => this.toggle(place)},
      el('td', {class: 'number', 'data-name': 'step'}, String(row.step)),
      el('td', {class: 'number', 'data-name': 'row'}, String(row.index)),
      el('td', {class: 'id', title: asked.id, dir: 'auto'}, asked.id),
      el('td', {}, row.of === undefined ? el('span', {class: 'tag'}, 'original') : el('span', {class: 'tag replay'}, `replay of ${row.of}`)),
      el('td', {class: 'verdicts'}, `${good}/${row.verdicts.length}`,
        el('span', {class: 'pips', 'aria-hidden': 'true'}, row.verdicts.map(([name]) => el('i', {class: name})))),
      [['reward', row.reward], ['advantage', row.advantage], ['entropy', row.entropy], ['tokens', row.tokens]].map(
        ([name, value]) => el('td', {class: 'number', 'data-name': name}, number(value))),
      el('td', {class: 'snippet'}, el('button', {type: 'button', 'aria-expanded': String(open), dir: 'auto'},
        start(row.response) || '(empty)')));
    return open ? [line, el('tr', {class: 'detail', id: `row-${place}`}, el('td', {colspan: 10}, this.detail(row)))] : [line];
  }

  detail(row) {
    const asked = this.run.instructions[row.instruction];
    const rewritten = row.rewritten === undefined ? null : this.run.instructions[row.rewritten];
    const replay = this.replayOf.get(`${row.step}.${row.index}`);
    const link = (index, text) => el('a', {href: '#', onclick: event => {
      event.preventDefault();
      this.state.open.add(`${row.step}.${index}`);
      this.state.step = String(row.step);
      this.state.kind = this.state.outcome = this.state.text = this.state.type = this.state.verdict = '';
      this.state.page = Math.floor(this.rows.filter(other => other.step === row.step).findIndex(other => other.index === index) / PAGE);
      this.toAddress();
      this.filters();
      this.draw();
      byId(`row-${row.step}.${index}`).scrollIntoView({block: 'center'});
    }}, text);
    return [
      el('div', {class: 'sides'},
        this.instruction('Instruction', null, asked, this.judged(row, asked, rewritten)),
        rewritten && this.instruction('Rewritten for this response', this.changes(row), rewritten, this.confirmed(asked, rewritten))),
      el('div', {class: 'card side'},
        el('h4', {}, 'Response', replay ? el('span', {}, 'replayed as ', link(replay.index, `row ${replay.index}`)) : null,
          row.of === undefined ? null : el('span', {}, 'sampled as ', link(row.of, `row ${row.of}`))),
        row.response ? foldable(el('pre', {class: 'response text', dir: 'auto'}, row.response), row.response) : el('p', {class: 'response empty'}, '(empty)'),
        el('p', {class: 'facts'},
          [['tokens', whole(row.tokens)], ['ended by', row.finish], ['reward', number(row.reward)], ['advantage', number(row.advantage)],
            ['log-prob per token', number(row.logprob)], ['entropy', number(row.entropy)], ['selection score', number(row.score)]].map(
            ([name, value]) => el('span', {}, name + ' ', el('b', {}, value))))),
    ];
  }

  changes(row) {
    const parts = [[row.relabelled, 'relabelled'], [row.swapped, 'swapped'], [row.dropped, 'dropped']];
    return parts.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(', ');
  }

  instruction(title, note, x, constraints) {
    const turn = (who, text) => el('div', {class: 'turn'}, who ? el('b', {}, who) : null,
      foldable(el('p', {class: 'text', dir: 'auto'}, text), text));
    return el('div', {class: 'card side'},
      el('h4', {}, title, note ? el('span', {}, note) : null),
      x.system ? turn('system', x.system) : null,
      x.history.map(message => turn(message.role, message.content)),
      turn(x.system || x.history.length ? 'user' : null, x.question),
      el('ul', {class: 'judged'}, constraints));
  }

  constraint(c, name, mark, reason, tag) {
    const kwargs = c.kwargs ? ' ' + c.kwargs : '';
    return el('li', {class: name},
      el('span', {class: 'mark', title: OUTCOMES[mark]}, MARKS[mark] || ''),
      el('span', {},
        el('span', {class: 'sentence', dir: 'auto'}, c.sentence || c.type || ''), ' ', tag,
        el('small', {}, reason, reason && c.type ? ' \u00b7 ' : null, c.type ? c.type + kwargs : null)));
  }

  /** Asked constraints with their verdicts; of a replay also which of them the rewrite left. */
  judged(row, asked, rewritten) {
    const kept = rewritten ? new Set(rewritten.constraints.map(Rollouts.identity)) : null;
    return asked.constraints.map((c, i) => {
      const [name, reason] = row.verdicts[i] || ['no_verdict', 'not judged'];
      const gone = kept && !kept.has(Rollouts.identity(c));
      return this.constraint(c, name + (gone ? ' gone' : ''), name, reason, gone ? el('span', {class: 'tag gone'}, 'not asked') : null);
    });
  }

  confirmed(asked, rewritten) {
    const before = new Set(asked.constraints.map(Rollouts.identity));
    return rewritten.constraints.map(c => before.has(Rollouts.identity(c))
      ? this.constraint(c, 'satisfied', 'satisfied', 'kept', null)
      : this.constraint(c, 'satisfied', 'satisfied', null, el('span', {class: 'tag new'}, 'new')));
  }

  static identity(c) {
    return JSON.stringify([c.type, c.kwargs, c.sentence]);
  }
}
