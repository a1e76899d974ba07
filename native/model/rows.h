// The pages of rows that are being decoded, and of the prompts that they continue: who holds which, on any device.
//
// A token's place is given by its position: slot position % PAGE of page position / PAGE. The full pages of a prompt are
// stored once and shared by all rows that continue it; after them each row has its own pages, of which the first
// begins with a copy of the prompt's last tokens.
#pragma once

#include <stdint.h>

#include <vector>

#include "shape.h"

namespace hir {

// Makes pages and copies them; a message is kept where one cannot.
class PageStore {
 public:
  virtual ~PageStore() {}
  virtual void *allocate() = 0;
  virtual bool copy(void *to, const void *from) = 0;
};

// A prompt's keys and values; freed when neither the caller nor a row holds it.
struct Prompt {
  int64_t length = 0;
  int64_t holders = 1;
  std::vector<void *> pages;
};

struct Row {
  Prompt *prompt = nullptr;
  int64_t length = 0;  // tokens in the row's own pages
  int64_t drawn = -1;  // its place in the last step that drew tokens; -1 where it had none
  std::vector<void *> pages;

  int64_t shared_pages() const { return prompt ? prompt->length / PAGE : 0; }
  int64_t shared_length() const { return shared_pages() * PAGE; }
  int64_t position() const { return shared_length() + length; }
};

// Rows lie at places 0 to size() - 1, without gaps.
class Rows {
 public:
  explicit Rows(PageStore *store) : store(store) {}

  int64_t size() const { return static_cast<int64_t>(places.size()); }
  const Row &operator[](int64_t place) const { return places[place]; }

  // A prompt with pages for its tokens; null where there is no memory.
  Prompt *make_prompt(int64_t length);
  void let_go(Prompt *prompt);

  int32_t admit(Prompt *prompt, int64_t first, int64_t count);
  int32_t move(int64_t from, int64_t to);
  // Ends the rows from place `count` on.
  void keep(int64_t count);
  // Checks a step of the first `count` rows, ends the others, and makes room for one more token in each.
  int32_t prepare(int64_t count, int64_t positions);
  // The step is done.
  void advance();
  // It has drawn a token for every row.
  void mark_drawn();

  // Pages that no row and no prompt holds.
  int64_t free() const { return static_cast<int64_t>(free_pages.size()); }

  // Those pages, for their owner to free; the rows are gone.
  std::vector<void *> take_pages();

  // Counts changes of which pages rows have.
  int64_t changes = 0;

 private:
  void *new_page();
  void release(std::vector<void *> *pages);
  void release(Row *row);

  PageStore *const store;
  std::vector<Row> places;
  std::vector<void *> free_pages;
};

}  // namespace hir
