// Bookkeeping of pages, on any device: which rows and prompts hold which.
//
// A token is at slot position % PAGE of page position / PAGE. All rows that continue a prompt share its full pages.
// Behind them each row has its own pages, and the first of those begins with a copy of the prompt's remaining tokens.
#pragma once

#include <stdint.h>

#include <vector>

#include "shape.h"

namespace hir {

// Allocates and copies pages. On failure returns null or false, and sets the error message.
class PageStore {
 public:
  virtual ~PageStore() {}
  virtual void *allocate() = 0;
  virtual bool copy(void *to, const void *from) = 0;
};

// A prompt's keys and values; freed once neither the caller nor a row holds it.
struct Prompt {
  int64_t length = 0;
  int64_t holders = 1;
  std::vector<void *> pages;
};

struct Row {
  Prompt *prompt = nullptr;
  int64_t length = 0;  // tokens in the row's own pages
  int64_t drawn = -1;  // index of its token in the last draw; -1 if it has none
  std::vector<void *> pages;

  int64_t shared_pages() const { return prompt ? prompt->length / PAGE : 0; }
  int64_t shared_length() const { return shared_pages() * PAGE; }
  int64_t position() const { return shared_length() + length; }
};

// Rows occupy places 0 to size() - 1, without gaps.
class Rows {
 public:
  explicit Rows(PageStore *store) : store(store) {}

  int64_t size() const { return static_cast<int64_t>(places.size()); }
  const Row &operator[](int64_t place) const { return places[place]; }

  // Returns a prompt with pages for its tokens, or null if memory runs out.
  Prompt *make_prompt(int64_t length);
  void let_go(Prompt *prompt);

  int32_t admit(Prompt *prompt, int64_t first, int64_t count);
  int32_t move(int64_t from, int64_t to);
  // Ends the rows from place `count` on.
  void keep(int64_t count);
  // Checks a step of the first `count` rows, ends the others, and gives each room for one more token.
  int32_t prepare(int64_t count, int64_t positions);
  // Counts the token that a step appended to each row.
  void advance();
  // Notes that the step drew a token for every row.
  void mark_drawn();

  // Number of pages that rows and prompts hold.
  int64_t held() const { return held_pages; }

  // Number of pages that no row or prompt holds.
  int64_t free() const { return static_cast<int64_t>(free_pages.size()); }

  // Ends all rows, and hands all free pages to the caller.
  std::vector<void *> take_pages();

  // Counts changes to the pages of rows.
  int64_t changes = 0;

 private:
  void *new_page();
  void release(std::vector<void *> *pages);
  void release(Row *row);

  PageStore *const store;
  std::vector<Row> places;
  std::vector<void *> free_pages;
  int64_t held_pages = 0;
};

}  // namespace hir
