/*
 * HiR kernels: the C ABI.
 *
 * A few large calls, each over a whole batch. The rules that all of them share:
 *  - Pointers are passed as integers (hir_address), so that a binding needs no object per call; 0 omits an
 *    optional buffer. Buffers are contiguous unless a stride is given, and lie on the backend's device.
 *  - `backend` chooses the implementation, `device` and `stream` where it runs (both 0 on the CPU).
 *  - The result is HIR_OK or an error code; hir_last_error() then returns the calling thread's message. After an
 *    error the contents of output buffers are undefined.
 *  - On a GPU calls are queued on the stream and return at once; only hir_policy_loss, hir_sum_of_squares and
 *    hir_synchronize wait for it. What a kernel finds wrong with its data (a NaN, a target outside the vocabulary) is
 *    therefore reported by the next of these calls. Sums are taken in a fixed order.
 *  - On the CPU results do not depend on the number of threads: work is cut into blocks of fixed size and reduced in a
 *    fixed order. Threads come from the calling thread's OpenMP pool (omp_set_num_threads).
 *  - A logit of -inf is a masked token: it has probability 0 and adds nothing to the entropy. NaN, +inf, or a row
 *    without a finite logit is an error that names the row.
 */
#ifndef HIR_KERNELS_H
#define HIR_KERNELS_H

#include <stdint.h>

#if defined(__GNUC__)
#define HIR_API __attribute__((visibility("default")))
#else
#define HIR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* An address in the memory of the backend's device. */
typedef int64_t hir_address;

/* Result codes. */
#define HIR_OK 0
#define HIR_INVALID 1     /* an argument is out of range */
#define HIR_NAN 2         /* NaN, +inf or a row without a finite logit among the inputs */
#define HIR_UNSUPPORTED 3 /* this machine or build cannot run the backend, or the device failed */
#define HIR_NO_MEMORY 4   /* memory ran out */

/* Implementations. */
#define HIR_BASELINE 0 /* plain C++ in double precision: the reference for all others */
#define HIR_AVX2 1
#define HIR_AVX512 2
#define HIR_CUDA 3
#define HIR_CUDA_EMULATED 4 /* HIR_CUDA's sources run thread by thread on the CPU, for tests: see hir_testing.h */

/* Element types. */
#define HIR_FLOAT32 0
#define HIR_BFLOAT16 1
/* For hir_matrix only: IEEE half floats, and the blocks of GGUF files. */
#define HIR_FLOAT16 2
#define HIR_Q8_0 3
#define HIR_Q4_0 4
#define HIR_Q4_K 5
#define HIR_Q6_K 6
#define HIR_INT8 16 /* for an optimizer's moments only: codes in blocks */

/* KL estimators of hir_policy_loss. */
#define HIR_KL_NONE 0
#define HIR_KL_K1 1
#define HIR_KL_K2 2
#define HIR_KL_K3 3

/* The message of the calling thread's last error; valid until its next call. */
HIR_API const char *hir_last_error(void);

/* HIR_OK, or HIR_UNSUPPORTED with the reason in hir_last_error(). */
HIR_API int32_t hir_backend_usable(int32_t backend);

/* Waits for the stream and reports errors that its kernels found; on the CPU returns HIR_OK at once. */
HIR_API int32_t hir_synchronize(int32_t backend, int32_t device, int64_t stream);

/*
 * log softmax(x / temperature)[target] and the entropy in nats, in one pass over each row.
 *   logits     [rows, cols] of dtype, rows row_stride elements apart (0: the same row again)
 *   targets    int64[rows], each in [0, cols)
 *   logprobs   float[rows], written
 *   entropies  float[rows], written; optional
 */
HIR_API int32_t hir_token_logprob(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows,
                                  int64_t cols, int64_t row_stride, int32_t dtype, hir_address targets, double temperature,
                                  hir_address logprobs, hir_address entropies);

/*
 * Clipped surrogate with dual clip, entropy bonus and KL loss: forward, and backward in place of the logits.
 *   logits          [rows, cols] of dtype, read, then overwritten by d loss / d logits
 *   old_logprobs    float[rows]; 0 stands for the current log-probs themselves (ratio 1)
 *   ref_logprobs    float[rows]; 0 without a KL loss
 *   advantages, weights  float[rows]; a row of weight 0 is masked: its inputs are not read, and its gradient, log-prob
 *                   and entropy are exactly 0
 *   clip_dual       > 1; infinity turns the dual clip off
 *   logprobs, entropies  float[rows], written; optional
 *   sums            double[7], written: loss, policy loss, KL loss, entropy, approximate KL (old - new), clip fraction,
 *                   dual-clip fraction; each token times its weight
 */
HIR_API int32_t hir_policy_loss(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows,
                                int64_t cols, int64_t row_stride, int32_t dtype, hir_address targets,
                                hir_address old_logprobs, hir_address ref_logprobs, hir_address advantages,
                                hir_address weights, double temperature, double clip_low, double clip_high, double clip_dual,
                                double entropy_bonus, int32_t kl_loss, double kl_weight, hir_address logprobs,
                                hir_address entropies, double *sums);

/*
 * Draws one token per row: temperature, then top-k, top-p, min-p, then the inverse CDF in vocabulary order.
 *   temperature  0 is argmax (lowest id on a tie)
 *   top_k        0 is off; every token tied with the k-th logit stays
 *   top_p        1 is off; of tied tokens at the edge, those of lower id stay
 *   min_p        0 is off
 *   key          Philox4x32-10 key
 *   counters     uint32[rows][4]; words 0 and 1 of the output make a uniform of 53 bits
 *   tokens       int64[rows], written
 *   logprobs     float[rows], written: under the tempered, unfiltered distribution (temperature 0: of temperature 1)
 *   entropies    float[rows], written: of that distribution, in nats; optional
 */
HIR_API int32_t hir_sample(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows, int64_t cols,
                           int64_t row_stride, int32_t dtype, double temperature, int64_t top_k, double top_p, double min_p,
                           int64_t key, hir_address counters, hir_address tokens, hir_address logprobs,
                           hir_address entropies);

/* The sum of squares in double, written to result[0]; NaN if an element is NaN. */
HIR_API int32_t hir_sum_of_squares(int32_t backend, int32_t device, int64_t stream, hir_address values, int64_t count,
                                   int32_t dtype, double *result);

/*
 * One step of torch.optim.AdamW on a flat buffer; gradients are multiplied by grad_scale first.
 *   params, m, v  float[count], updated
 *   grads         [count] of grad_dtype
 *   low_precision bfloat16[count], written with the rounded params; optional
 *   step          counted from 1
 */
HIR_API int32_t hir_adamw(int32_t backend, int32_t device, int64_t stream, hir_address params, hir_address grads,
                          int32_t grad_dtype, hir_address m, hir_address v, hir_address low_precision, int64_t count,
                          double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                          double grad_scale, int64_t step);

/*
 * The same step over narrow state. Arithmetic is in float, but masters may be split, and moments are stored in fewer bits,
 * rounded at random so that the mean is right: the nearer a value is to a neighbour, the likelier it becomes that one. The
 * random numbers are Philox4x32-10's, keyed by the element's index, the buffer's `first` and the step. HIR_BASELINE,
 * HIR_AVX2 and HIR_AVX512 have it.
 */
typedef struct hir_adamw_buffers {
  hir_address params; /* float[count] masters, updated; 0 where they are split */
  hir_address
      weights; /* bfloat16[count], written: the rounded masters; optional beside params, read too where masters are split */
  hir_address residues; /* uint16[count], updated: the low halves of split masters, see hir_split; 0 beside params */
  hir_address grads; /* [count] of grad_dtype */
  hir_address m, v; /* [count] of moment_dtype, updated */
  hir_address m_scales,
      v_scales; /* float[(count + 255) / 256], updated: the largest magnitude of each block; for HIR_INT8 only */
  int64_t count;
  int64_t first; /* index of the buffer's first element among all parameters; keys the random numbers */
  int32_t grad_dtype; /* HIR_FLOAT32 or HIR_BFLOAT16 */
  int32_t moment_dtype; /* HIR_FLOAT32, HIR_BFLOAT16 or HIR_INT8; bytes of 0 are moments of 0 */
} hir_adamw_buffers;

HIR_API int32_t hir_adamw_narrow(int32_t backend, int32_t device, int64_t stream, const hir_adamw_buffers *buffers,
                                 double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                                 double grad_scale, int64_t step);

/*
 * Splits masters float[count] into bfloat16 weights, rounded to the nearest (the smaller magnitude on a tie), and residues
 * uint16[count]; hir_join restores them exactly. CPU backends only.
 */
HIR_API int32_t hir_split(int32_t backend, hir_address masters, int64_t count, hir_address weights, hir_address residues);
HIR_API int32_t hir_join(int32_t backend, hir_address weights, hir_address residues, int64_t count, hir_address masters);

/*
 * The variant of the matrix products that a backend runs here for a dtype: "reference", "avx2", "avx512", "avx512_bf16" or
 * "amx"; null with the reason in hir_last_error() if there is none. hir_matmul_ceiling measures the variant's multiply-adds
 * with operands in registers, in GFLOP/s over all threads; 0 if there is none.
 */
HIR_API const char *hir_matmul_variant(int32_t backend, int32_t dtype);
HIR_API double hir_matmul_ceiling(int32_t backend, int32_t dtype);

/*
 * A model: a decoder-only transformer of the Qwen3, Qwen2 or Llama kind (RMS norms, rotary positions, grouped-query
 * attention, SwiGLU). It holds packed weights and runs packed sequences forward and backward; decoders made over it run
 * one token at a time. A token's hidden state and logits depend only on its own sequence, bit for bit: not on the rest of
 * the batch, the number of threads, or whether it is decoded or part of a packed sequence. (On a GPU that takes
 * HIR_BATCH_INVARIANT=1.) Not thread-safe.
 */
typedef struct hir_model_shape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  double norm_epsilon;
  int32_t dtype; /* of weights, activations, keys and values; sums, the residual stream and logits are float */
} hir_model_shape;

/* Writes a handle to *model. HIR_BASELINE only decodes. */
HIR_API int32_t hir_model_create(int32_t backend, int32_t device, int64_t stream, const hir_model_shape *shape,
                                 int64_t *model);

/* Its decoders must be freed before. */
HIR_API void hir_model_free(int64_t model);

/*
 * Frees the scratch memory of passes if it is more than `small` bytes: less is cheaper to keep than to allocate again. What
 * the last pass kept for a backward pass is lost.
 */
HIR_API void hir_model_release(int64_t model, int64_t small);

/* Work, for hir_model_memory. */
typedef struct hir_model_work {
  int64_t tokens, sequences,
      longest; /* of a packed batch; segments that continue no other; tokens of the longest sequence */
  int32_t keep; /* HIR_KEEP_... */
  int64_t head_rows; /* rows of one hir_model_logits_backward */
  int64_t decode_rows, decode_longest; /* rows of a decoder's step, and tokens of the longest */
} hir_model_work;

/* Bytes. */
typedef struct hir_model_sizes {
  int64_t weights; /* packed copies of the matrices, and floats of the vectors */
  int64_t pass; /* a forward pass with its backward pass */
  int64_t head; /* the head's backward pass */
  int64_t page; /* 32 tokens of one row in a decoder: keys and values of all layers */
  int64_t step; /* a step of a decoder */
  int64_t scratch; /* what all threads keep, approximately */
} hir_model_sizes;

/*
 * The bytes that a model of this shape would allocate, beyond what its caller passes in, on the calling thread's number of
 * OpenMP threads. No model is made. HIR_UNSUPPORTED on backends that only decode.
 */
HIR_API int32_t hir_model_memory(int32_t backend, const hir_model_shape *shape, const hir_model_work *work,
                                 hir_model_sizes *sizes);

/*
 * Sets the weights: packs copies of the matrices. Call it again when they have changed. `addresses` are those of contiguous
 * matrices [out, in] and vectors, in this order: embedding [vocab, hidden], final norm, head [vocab, hidden], then for each
 * layer: input norm, qkv [(heads + 2 kv_heads) head_dim, hidden], qkv bias or 0, query norm or 0, key norm or 0, output
 * [hidden, heads head_dim], post norm, gate and up [2 intermediate, hidden], down [hidden, intermediate]. They must outlive
 * the model, because the embedding is read in place.
 */
HIR_API int32_t hir_model_weights(int64_t model, const int64_t *addresses);

/* A frozen matrix W, with or without an adapter (LoRA): W + scale B A. */
typedef struct hir_matrix {
  hir_address data; /* W [out, in], rows contiguous and each of whole blocks */
  int32_t type; /* element type or block type */
  int32_t mapped; /* 1 for a read-only mapping of a file, whose pages are dropped from memory once they are packed */
  int64_t head; /* rows of a head whose two halves are interleaved, as for q and k in GGUF files of llama; else 0 */
  int64_t rank; /* 0 for no adapter */
  double scale;
  hir_address a, b; /* float[rank][in], float[out][rank] */
  hir_address a_gradient, b_gradient; /* where a backward pass adds their gradients; 0 for an adapter that is not trained */
} hir_matrix;

/*
 * Sets frozen weights, in place of hir_model_weights. Only vectors are taken from `addresses`. `matrices` are, in this
 * order: embedding, head (neither with an adapter), then for each layer q, k, v, output, gate, up, down. The sum of a matrix
 * and its adapter is packed in the model's type. In bfloat16 the frozen matrix is rounded to the nearest first; then the
 * sum is rounded by a threshold that is fixed for each element. So even a tiny adapter has its right effect on average, and
 * an adapter of zeros has none. Matrices without an adapter are packed once; all must neither move nor change while the
 * model lives. Call it again when adapters have changed, or with other adapters. CPU backends only.
 */
HIR_API int32_t hir_model_frozen(int64_t model, const int64_t *addresses, const hir_matrix *matrices, int64_t count);

/* Copies the rotary tables, float[positions][head_dim / 2]. */
HIR_API int32_t hir_model_rotary(int64_t model, hir_address cosines, hir_address sines, int64_t positions);

/*
 * Gives layers sliding windows: a token sees the last tokens[layer] tokens of its sequence, itself included, or all if that
 * is 0, as in a new model. A layer's work on a token is bounded by its window; a decoder still keeps all keys and values.
 *   tokens  int64[layers]
 */
HIR_API int32_t hir_model_windows(int64_t model, const int64_t *tokens);

/* What hir_model_forward keeps for a backward pass. */
#define HIR_KEEP_NOTHING 0
#define HIR_KEEP_EVERYTHING 1
#define HIR_KEEP_INPUTS 2 /* each layer's input; the rest is computed again */

/*
 * Runs concatenated segments of tokens. A segment may continue an earlier one that itself continues none: its tokens attend
 * to all of that segment and to earlier tokens of their own, and their positions continue from it.
 *   ids       int64[tokens]
 *   lengths   int64[segments], each at least 1, together `tokens`
 *   prefixes  int64[segments]: index of the segment that each one continues, or -1
 *   hidden    [tokens][hidden] of the model's dtype, written: after the final norm
 *   keys_values  [layers][tokens][2 kv_heads head_dim] of the model's dtype, written: rotated keys, then values; optional
 *   pass      written: names what was kept, until the next forward pass
 */
HIR_API int32_t hir_model_forward(int64_t model, const int64_t *ids, int64_t tokens, const int64_t *lengths,
                                  const int64_t *prefixes, int64_t segments, int32_t keep, hir_address hidden,
                                  hir_address keys_values, int64_t *pass);

/*
 * Adds the gradients of all weights but the head's. `gradients` are addresses of floats in the order of the weights, 0 where
 * a weight is absent or frozen; the head's is ignored. Gradients of adapters are added where their hir_matrix says. At most
 * once per pass.
 *   hidden_gradient  float[tokens][hidden]
 */
HIR_API int32_t hir_model_backward(int64_t model, int64_t pass, hir_address hidden_gradient, const int64_t *gradients);

/* Applies the head: writes logits float[rows][row_stride] of hidden states [rows][hidden] of the model's dtype. */
HIR_API int32_t hir_model_logits(int64_t model, hir_address hidden, int64_t rows, hir_address logits, int64_t row_stride);

/*
 * The same bits as hir_token_logprob of those logits, without logits in memory.
 *   targets    int64[rows], each in [0, vocab)
 *   logprobs   float[rows], written
 *   entropies  float[rows], written; optional
 */
HIR_API int32_t hir_model_logprobs(int64_t model, hir_address hidden, int64_t rows, hir_address targets, double temperature,
                                   hir_address logprobs, hir_address entropies);

/*
 * The head's backward pass.
 *   hidden_gradient  float[rows][hidden], written
 *   head_gradient    float[vocab][hidden], added to; 0 for a frozen head
 */
HIR_API int32_t hir_model_logits_backward(int64_t model, hir_address logits_gradient, int64_t row_stride, hir_address hidden,
                                          int64_t rows, hir_address hidden_gradient, hir_address head_gradient);

/*
 * A decoder runs a model one token at a time, for a batch of rows, each at its own position. All rows that continue a prompt
 * share its keys and values. Rows occupy places 0 to n - 1, without gaps. Weights and rotary tables are the model's, which
 * must have them before the first step.
 */
HIR_API int32_t hir_decoder_create(int64_t model, int64_t *decoder);
HIR_API void hir_decoder_free(int64_t decoder);

/*
 * Stores a prompt's keys, already rotated, and values. Those of layer l, token t and head h begin at element
 * l * layer_stride + t * token_stride + h * head_dim. *prompt is a handle for hir_decoder_admit; rows that continue the
 * prompt outlive it.
 */
HIR_API int32_t hir_decoder_prompt(int64_t decoder, hir_address keys, hir_address values, int64_t layer_stride,
                                   int64_t token_stride, int64_t length, int32_t dtype, int64_t *prompt);
HIR_API void hir_decoder_prompt_free(int64_t decoder, int64_t prompt);

/* Starts `count` rows that continue a prompt (0 for none) from place `first` on. Rows at these places and after them end. */
HIR_API int32_t hir_decoder_admit(int64_t decoder, int64_t prompt, int64_t first, int64_t count);

/* Moves the row at `from` to place `to`, whose own row ends; place `from` is then an empty row. */
HIR_API int32_t hir_decoder_move(int64_t decoder, int64_t from, int64_t to);

/* Ends the rows from place `rows` on, and keeps their pages for later ones. */
HIR_API void hir_decoder_keep(int64_t decoder, int64_t rows);

/*
 * Number of pages that rows and prompts hold. A prompt of n tokens takes ceil(n / 32), once for all its rows. Each row
 * begins with n % 32 tokens in a page of its own, if that is not 0, and takes another page when it appends a token at a
 * position that is a multiple of 32. Nothing else takes any.
 */
HIR_API int64_t hir_decoder_pages(int64_t decoder);

/*
 * Ends all rows, and frees their memory if it is more than `small` bytes and no prompt is held. A GPU keeps the memory that
 * recorded graphs use.
 */
HIR_API void hir_decoder_release(int64_t decoder, int64_t small);

/*
 * Appends one token to each of the first `rows` rows; later rows end.
 *   tokens  int64[rows]
 *   logits  float[rows][row_stride], of the next token, written
 */
HIR_API int32_t hir_decoder_step(int64_t decoder, hir_address tokens, int64_t rows, hir_address logits, int64_t row_stride);

/*
 * Appends tokens as hir_decoder_step does, then draws each row's next one as hir_sample does; logits are not copied. Arrays
 * are on the host. On a GPU this takes one copy to the device, one back and one wait.
 *   tokens      int64[rows]: what to append; -1 for the token of the row's last draw
 *   vocabulary  only ids below it are drawn
 *   counters    int32[rows][4], one Philox counter per row
 *   drawn       int64[rows], written
 *   logprobs    float[rows], written: as hir_sample's, among all ids
 *   entropies   float[rows], written: likewise; optional
 */
HIR_API int32_t hir_decoder_draw(int64_t decoder, const int64_t *tokens, int64_t rows, double temperature, int64_t top_k,
                                 double top_p, double min_p, int64_t vocabulary, int64_t key, const int32_t *counters,
                                 int64_t *drawn, float *logprobs, float *entropies);

#ifdef __cplusplus
}
#endif
#endif
