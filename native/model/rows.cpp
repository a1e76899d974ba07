#include "rows.h"

#include <utility>

#include "error.h"
#include "hir_kernels.h"

namespace hir {

void *Rows::new_page() {
  void *page;
  if (free_pages.empty()) {
    page = store->allocate();
  } else {
    page = free_pages.back();
    free_pages.pop_back();
  }
  if (page) held_pages++;
  return page;
}

void Rows::release(std::vector<void *> *pages) {
  free_pages.insert(free_pages.end(), pages->begin(), pages->end());
  held_pages -= static_cast<int64_t>(pages->size());
  pages->clear();
  changes++;
}

void Rows::release(Row *row) {
  release(&row->pages);
  row->length = 0;
  row->drawn = -1;
  if (row->prompt) let_go(row->prompt);
  row->prompt = nullptr;
}

Prompt *Rows::make_prompt(int64_t length) {
  Prompt *const prompt = new Prompt;
  prompt->length = length;
  for (int64_t t = 0; t < length; t += PAGE) {
    void *const page = new_page();
    if (!page) {
      let_go(prompt);
      return nullptr;
    }
    prompt->pages.push_back(page);
  }
  return prompt;
}

void Rows::let_go(Prompt *prompt) {
  if (--prompt->holders > 0) return;
  release(&prompt->pages);
  delete prompt;
}

void Rows::keep(int64_t count) {
  while (size() > count) {
    release(&places.back());
    places.pop_back();
  }
}

int32_t Rows::admit(Prompt *prompt, int64_t first, int64_t count) {
  if (first < 0 || first > size() || count < 1) {
    return fail(HIR_INVALID, "decoder: %lld rows cannot begin at place %lld: places 0 to %lld are taken, without gaps",
                static_cast<long long>(count), static_cast<long long>(first), static_cast<long long>(size()) - 1);
  }
  keep(first);
  places.resize(first + count);
  changes++;
  for (int64_t i = first; i < first + count && prompt; i++) {
    Row &row = places[i];
    row.prompt = prompt;
    prompt->holders++;
    row.length = prompt->length % PAGE;
    if (row.length == 0) continue;
    void *const page = new_page();
    if (page) row.pages.push_back(page);
    if (!page || !store->copy(page, prompt->pages.back())) {
      keep(first);
      return HIR_NO_MEMORY;
    }
  }
  return HIR_OK;
}

int32_t Rows::move(int64_t from, int64_t to) {
  if (from < 0 || from >= size() || to < 0 || to >= size()) {
    return fail(HIR_INVALID, "decoder: cannot move place %lld to %lld: there are %lld", static_cast<long long>(from),
                static_cast<long long>(to), static_cast<long long>(size()));
  }
  if (from == to) return HIR_OK;
  release(&places[to]);
  std::swap(places[from], places[to]);
  return HIR_OK;
}

int32_t Rows::prepare(int64_t count, int64_t positions) {
  if (count < 0 || count > size()) {
    return fail(HIR_INVALID, "decoder: a step of %lld rows, but %lld places are taken", static_cast<long long>(count),
                static_cast<long long>(size()));
  }
  keep(count);
  for (int64_t i = 0; i < count; i++) {
    if (places[i].position() < positions) continue;
    return fail(HIR_INVALID, "decoder: row %lld has reached position %lld, the rotary tables end at %lld",
                static_cast<long long>(i), static_cast<long long>(places[i].position()), static_cast<long long>(positions));
  }
  for (Row &row : places) {
    if (row.length / PAGE < static_cast<int64_t>(row.pages.size())) continue;
    void *const page = new_page();
    if (!page) return HIR_NO_MEMORY;
    row.pages.push_back(page);
    changes++;
  }
  return HIR_OK;
}

void Rows::advance() {
  for (Row &row : places) {
    row.length++;
    row.drawn = -1;
  }
}

void Rows::mark_drawn() {
  for (int64_t i = 0; i < size(); i++) places[i].drawn = i;
}

std::vector<void *> Rows::take_pages() {
  keep(0);
  return std::move(free_pages);
}

}  // namespace hir
