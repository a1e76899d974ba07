/*
 * HiR kernels: the C ABI.
 *
 * A few large calls, each over a whole batch. The rules they share:
 *  - Pointers travel as integers (hir_address), so that a binding makes no object per call; 0 leaves an
 *    optional buffer out. Buffers are contiguous unless a stride is given, and lie on the backend's device.
 *  - `backend` says which implementation runs, `device` and `stream` where (both 0 on the CPU).
 *  - The result is HIR_OK or an error code; hir_last_error() then gives the message of the calling thread.
 *    After an error the contents of written buffers are undefined.
 *  - On a GPU calls are queued on the stream and return; only hir_policy_loss, hir_sum_of_squares and hir_synchronize wait
 *    for it. What a kernel finds wrong with its data (a NaN, a target outside the vocabulary) is therefore the error of
 *    the next of these calls, not of its own. Sums are taken in a fixed order.
 *  - On the CPU results do not depend on the number of threads: work is cut into blocks of fixed size and
 *    reduced in a fixed order. Threads are OpenMP's, of the calling thread's pool (hir_set_threads).
 *  - A logit of -inf is a masked token: probability 0, nothing added to the entropy. NaN, +inf, or a row without a
 *    finite logit is an error that names the row.
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
#define HIR_UNSUPPORTED 3 /* this machine or this build cannot run the backend */
#define HIR_NO_MEMORY 4   /* scratch memory could not be had */

/* Implementations. */
#define HIR_BASELINE 0 /* plain C++ in double precision: the reference of all others */
#define HIR_AVX2 1
#define HIR_AVX512 2
#define HIR_CUDA 3
#define HIR_CUDA_EMULATED 4 /* the sources of HIR_CUDA on the CPU, thread by thread: slow, for tests without a GPU */

/* Element types. */
#define HIR_FLOAT32 0
#define HIR_BFLOAT16 1
/* Of a hir_matrix alone: IEEE half floats, and the blocks of GGUF files. */
#define HIR_FLOAT16 2
#define HIR_Q8_0 3
#define HIR_Q4_0 4
#define HIR_Q4_K 5
#define HIR_Q6_K 6
#define HIR_INT8 16 /* of an optimizer's moments alone: codes in blocks */

/* KL estimators of hir_policy_loss. */
#define HIR_KL_NONE 0
#define HIR_KL_K1 1
#define HIR_KL_K2 2
#define HIR_KL_K3 3

/* Message of the calling thread's last error; valid until its next call. */
HIR_API const char *hir_last_error(void);

/* HIR_OK, or HIR_UNSUPPORTED with the reason in hir_last_error(). */
HIR_API int32_t hir_backend_usable(int32_t backend);

/* Waits for the stream and reports what its kernels have found; HIR_OK at once on the CPU. */
HIR_API int32_t hir_synchronize(int32_t backend, int32_t device, int64_t stream);

/* OpenMP threads of the calling thread's parallel regions (shared with every library on the same libgomp). */
HIR_API void hir_set_threads(int32_t threads);
HIR_API int32_t hir_threads(void);

/*
 * One pass over each row: log softmax(x / temperature)[target] and its entropy in nats.
 *   logits     [rows, cols] of dtype, rows row_stride elements apart (0: the same row again)
 *   targets    int64[rows], each in [0, cols)
 *   logprobs   float[rows], written
 *   entropies  float[rows], written; optional
 */
HIR_API int32_t hir_token_logprob(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows,
                                  int64_t cols, int64_t row_stride, int32_t dtype, hir_address targets, double temperature,
                                  hir_address logprobs, hir_address entropies);

/*
 * Clipped surrogate with dual clip, entropy bonus and KL loss, forward and, in place of the logits, backward.
 *   logits          [rows, cols] of dtype, read, then overwritten by d loss / d logits
 *   old_logprobs    float[rows]; 0 takes the current log-prob itself (ratio 1)
 *   ref_logprobs    float[rows]; needed only with a KL loss
 *   advantages, weights  float[rows]; a row of weight 0 is masked: its inputs are not read, its gradient, log-prob
 *                   and entropy are exactly 0
 *   clip_dual       > 1; infinity switches the dual clip off
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
 * One token a row: temperature, then top-k, top-p, min-p, then inverse CDF in vocabulary order.
 *   temperature  0 is argmax (lowest id on a tie)
 *   top_k        0 is off; ties of the k-th logit all stay
 *   top_p        1 is off; of tied tokens on the edge those of lower id stay
 *   min_p        0 is off
 *   key          Philox4x32-10 key
 *   counters     uint32[rows][4]; words 0 and 1 of the output make the uniform, 53 bits
 *   tokens       int64[rows], written
 *   logprobs     float[rows], written: under the tempered, unfiltered distribution (temperature 0: of temperature 1)
 */
HIR_API int32_t hir_sample(int32_t backend, int32_t device, int64_t stream, hir_address logits, int64_t rows, int64_t cols,
                           int64_t row_stride, int32_t dtype, double temperature, int64_t top_k, double top_p, double min_p,
                           int64_t key, hir_address counters, hir_address tokens, hir_address logprobs);

/* Philox4x32-10 of `count` counters (uint32[count][4]) under `key`; out uint32[count][4]. Same words on every backend. */
HIR_API int32_t hir_philox(int32_t backend, int32_t device, int64_t stream, int64_t key, hir_address counters, int64_t count,
                           hir_address out);

/* Sum of squares in double, result[0] written; a NaN among the elements makes it NaN. */
HIR_API int32_t hir_sum_of_squares(int32_t backend, int32_t device, int64_t stream, hir_address values, int64_t count,
                                   int32_t dtype, double *result);

/*
 * torch.optim.AdamW's step on one flat buffer; gradients are multiplied by grad_scale first.
 *   params, m, v  float[count], updated
 *   grads         [count] of grad_dtype
 *   low_precision bfloat16[count], written with the rounded params; optional
 *   step          from 1
 */
HIR_API int32_t hir_adamw(int32_t backend, int32_t device, int64_t stream, hir_address params, hir_address grads,
                          int32_t grad_dtype, hir_address m, hir_address v, hir_address low_precision, int64_t count,
                          double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                          double grad_scale, int64_t step);

/*
 * The same step over narrow state: float arithmetic, but masters may be split and moments stored in fewer bits, rounded at
 * random (up with the probability of the distance from the lower neighbour). The random numbers are Philox4x32-10's, of
 * the element's index, the buffer's name and the step. On HIR_BASELINE, HIR_AVX2 and HIR_AVX512.
 */
typedef struct hir_adamw_buffers {
  hir_address params;       /* float[count], updated; 0 where masters are split */
  hir_address weights; /* bfloat16[count], written: the rounded masters; optional beside params; of split masters read too */
  hir_address residues; /* uint16[count], updated: the low halves of split masters (hir_split); 0 beside params */
  hir_address grads; /* [count] of grad_dtype */
  hir_address m, v; /* [count] of moment_dtype, updated */
  hir_address m_scales,
      v_scales; /* float[(count + 255) / 256], updated: the largest magnitude of each block; HIR_INT8 alone */
  int64_t count;
  int64_t first; /* names the buffer: where it begins among all parameters */
  int32_t grad_dtype; /* HIR_FLOAT32 or HIR_BFLOAT16 */
  int32_t moment_dtype; /* HIR_FLOAT32, HIR_BFLOAT16 or HIR_INT8; 0 bytes are moments of 0 */
} hir_adamw_buffers;

HIR_API int32_t hir_adamw_narrow(int32_t backend, int32_t device, int64_t stream, const hir_adamw_buffers *buffers,
                                 double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                                 double grad_scale, int64_t step);

/*
 * Masters float[count] as bfloat16 weights, rounded to the nearest (a tie to the smaller magnitude), and residues
 * uint16[count]; and back, exactly. On the CPU's backends.
 */
HIR_API int32_t hir_split(int32_t backend, hir_address masters, int64_t count, hir_address weights, hir_address residues);
HIR_API int32_t hir_join(int32_t backend, hir_address weights, hir_address residues, int64_t count, hir_address masters);

/*
 * What the machine can do at best, to compare kernels with: passes once over floats.
 *   HIR_PROBE_READ      sums x
 *   HIR_PROBE_COPY      y = x
 *   HIR_PROBE_IN_PLACE  scales x
 *   HIR_PROBE_EXP       `count` exponentials of numbers in the first-level cache; x and y are not used
 */
#define HIR_PROBE_READ 0
#define HIR_PROBE_COPY 1
#define HIR_PROBE_IN_PLACE 2
#define HIR_PROBE_EXP 3
HIR_API int32_t hir_probe(int32_t backend, int32_t device, int64_t stream, int32_t what, hir_address x, hir_address y,
                          int64_t count);

/*
 * Which variant of the matrix products a backend runs here for a dtype: "reference", "avx2", "avx512", "avx512_bf16" or
 * "amx"; null with the reason in hir_last_error(). Their ceiling: GFLOP/s of its multiply-adds, operands in registers, all
 * threads together; 0 where there is none.
 */
HIR_API const char *hir_matmul_variant(int32_t backend, int32_t dtype);
HIR_API double hir_matmul_ceiling(int32_t backend, int32_t dtype);

/*
 * A model: a decoder-only transformer of the Qwen3, Qwen2 or Llama kind (RMS norms, rotary positions, grouped-query
 * attention, SwiGLU). It holds packed weights, runs packed sequences forward and backward, and is decoded one token at a
 * time by decoders made over it. A token's hidden state and logits depend on its sequence alone, bit for bit: not on the
 * rest of the batch, nor on the number of threads, nor on whether it was decoded or one of a packed sequence (on a GPU:
 * HIR_BATCH_INVARIANT). Not for use by several threads at once.
 */
typedef struct hir_model_shape {
  int64_t layers, hidden, intermediate, heads, kv_heads, head_dim, vocab;
  double norm_epsilon;
  int32_t dtype; /* of weights, activations, keys and values; sums, the residual stream and logits are float */
} hir_model_shape;

/* *model is for the calls below. HIR_BASELINE only decodes. */
HIR_API int32_t hir_model_create(int32_t backend, int32_t device, int64_t stream, const hir_model_shape *shape,
                                 int64_t *model);

/* Decoders go first. */
HIR_API void hir_model_free(int64_t model);

/*
 * Gives back scratch memory that passes have grown, if it is more than `small` bytes, which cost less to keep than to find
 * again; what the last pass kept for a backward is lost.
 */
HIR_API void hir_model_release(int64_t model, int64_t small);

/* Work whose memory hir_model_memory tells. */
typedef struct hir_model_work {
  int64_t tokens, sequences, longest; /* of a packed batch: segments that continue none; tokens of a whole sequence */
  int32_t keep; /* HIR_KEEP_... */
  int64_t head_rows; /* of one hir_model_logits_backward */
  int64_t decode_rows, decode_longest; /* of a decoder's step: rows, and tokens of the longest */
} hir_model_work;

/* Bytes. */
typedef struct hir_model_sizes {
  int64_t weights; /* packed copies of the matrices, and floats of the vectors */
  int64_t pass; /* of a forward with its backward */
  int64_t head; /* of a head's backward */
  int64_t page; /* 32 tokens of one row in a decoder: keys and values of all layers */
  int64_t step; /* of a decoder's step */
  int64_t scratch; /* that all threads keep, about */
} hir_model_sizes;

/*
 * What a model of this shape allocates for itself (beside what its caller gives it) on this thread's number of threads,
 * without making one. HIR_UNSUPPORTED on backends that only decode.
 */
HIR_API int32_t hir_model_memory(int32_t backend, const hir_model_shape *shape, const hir_model_work *work,
                                 hir_model_sizes *sizes);

/*
 * Packs copies of the matrices; call it again when they have changed. Addresses of contiguous matrices [out, in] and
 * vectors, in this order: embedding [vocab, hidden], final norm, head [vocab, hidden], then for each layer: input norm,
 * qkv [(heads + 2 kv_heads) head_dim, hidden], qkv bias or 0, query norm or 0, key norm or 0, output [hidden, heads
 * head_dim], post norm, gate and up [2 intermediate, hidden], down [hidden, intermediate]. They must outlive the model:
 * the embedding is read where it is.
 */
HIR_API int32_t hir_model_weights(int64_t model, const int64_t *addresses);

/* A matrix that does not change, and an adapter on it (LoRA): W + scale B A. */
typedef struct hir_matrix {
  hir_address data; /* [out, in], rows contiguous; a row is whole blocks */
  int32_t type;
  int32_t mapped; /* not 0: a read-only mapping of a file, whose pages leave this process's memory once they are packed */
  int64_t head; /* rows of a head, if the two halves of them take turns, as GGUF files of llama have q and k; else 0 */
  int64_t rank; /* 0: no adapter */
  double scale;
  hir_address a, b; /* float[rank][in], float[out][rank] */
  hir_address a_gradient, b_gradient; /* where a backward adds their gradients; 0 for an adapter that is not trained */
} hir_matrix;

/*
 * The other way to give a model its weights: only vectors are taken from `addresses`, matrices from here, in this order:
 * embedding, head (neither has an adapter), then for each layer q, k, v, output, gate, up, down. What is packed is the sum,
 * of the model's type. (In bfloat16 the base is rounded to it first, to the nearest; then the sum, by a threshold that each
 * element has for good: the mean over elements is right, however small the adapter's part, and an adapter of zeros changes
 * nothing.) A matrix without an adapter is packed once; all must stay as they are, where they are, while the model lives.
 * Called again when adapters have changed, or with others. Backends of CPUs only.
 */
HIR_API int32_t hir_model_frozen(int64_t model, const int64_t *addresses, const hir_matrix *matrices, int64_t count);

/* Copies the rotary tables, float[positions][head_dim / 2]. */
HIR_API int32_t hir_model_rotary(int64_t model, hir_address cosines, hir_address sines, int64_t positions);

/* What hir_model_forward keeps for a backward. */
#define HIR_KEEP_NOTHING 0
#define HIR_KEEP_EVERYTHING 1
#define HIR_KEEP_INPUTS 2 /* each layer's input; the rest is computed again */

/*
 * Segments of tokens, concatenated. A segment may continue an earlier one that continues none: its tokens
 * attend to all of that one and to what precedes them in their own, and their positions continue from it.
 *   ids       int64[tokens]
 *   lengths   int64[segments], each at least 1, together `tokens`
 *   prefixes  int64[segments]: what a segment continues, or -1
 *   hidden    [tokens][hidden] of the model's dtype, written: after the final norm
 *   keys_values  [layers][tokens][2 kv_heads head_dim] of the model's dtype, written: rotated keys, then values; optional
 *   pass      written: names what was kept, which the next forward overwrites
 */
HIR_API int32_t hir_model_forward(int64_t model, const int64_t *ids, int64_t tokens, const int64_t *lengths,
                                  const int64_t *prefixes, int64_t segments, int32_t keep, hir_address hidden,
                                  hir_address keys_values, int64_t *pass);

/*
 * Adds the gradients of all weights but the head's. `gradients` are addresses of floats in the order of the weights (the
 * head's is not looked at), 0 where there is no such weight or it is frozen. Those of adapters are added where their
 * hir_matrix says.
 *   hidden_gradient  float[tokens][hidden]
 */
HIR_API int32_t hir_model_backward(int64_t model, int64_t pass, hir_address hidden_gradient, const int64_t *gradients);

/* The head: logits float[rows][row_stride] of hidden states [rows][hidden] of the model's dtype. */
HIR_API int32_t hir_model_logits(int64_t model, hir_address hidden, int64_t rows, hir_address logits, int64_t row_stride);

/*
 * hir_token_logprob of those logits, bit for bit, without logits in memory.
 *   targets    int64[rows], each in [0, vocab)
 *   logprobs   float[rows], written
 *   entropies  float[rows], written; optional
 */
HIR_API int32_t hir_model_logprobs(int64_t model, hir_address hidden, int64_t rows, hir_address targets, double temperature,
                                   hir_address logprobs, hir_address entropies);

/* The head's backward: hidden_gradient float[rows][hidden] is written, head_gradient float[vocab][hidden] added to (0:
 * frozen). */
HIR_API int32_t hir_model_logits_backward(int64_t model, hir_address logits_gradient, int64_t row_stride, hir_address hidden,
                                          int64_t rows, hir_address hidden_gradient, hir_address head_gradient);

/*
 * A decoder: a model one token at a time, for a batch of rows at their own positions. The keys and values of a prompt are
 * stored once for all rows that continue it. Rows occupy places 0 to n - 1, without gaps. Weights and rotary tables are
 * the model's, which must have them before the first step.
 */
HIR_API int32_t hir_decoder_create(int64_t model, int64_t *decoder);
HIR_API void hir_decoder_free(int64_t decoder);

/*
 * Stores a prompt's rotated keys and its values: of layer l, token t, head h they begin at element
 * l * layer_stride + t * token_stride + h * head_dim. *prompt is for hir_decoder_admit; freeing it does not touch rows
 * that continue it.
 */
HIR_API int32_t hir_decoder_prompt(int64_t decoder, hir_address keys, hir_address values, int64_t layer_stride,
                                   int64_t token_stride, int64_t length, int32_t dtype, int64_t *prompt);
HIR_API void hir_decoder_prompt_free(int64_t decoder, int64_t prompt);

/* Puts `count` rows that continue a prompt (0: none) at places `first` and following; what was there ends. */
HIR_API int32_t hir_decoder_admit(int64_t decoder, int64_t prompt, int64_t first, int64_t count);

/* Moves the row at `from` to place `to`, whose own row ends; place `from` is then an empty row. */
HIR_API int32_t hir_decoder_move(int64_t decoder, int64_t from, int64_t to);

/* Ends all rows. Their pages stay, for the rows to come. */
HIR_API void hir_decoder_clear(int64_t decoder);

/*
 * Ends all rows and gives back their memory, if it is more than `small` bytes and no prompt is held. On a GPU it stays, for
 * the graphs that were recorded over it.
 */
HIR_API void hir_decoder_release(int64_t decoder, int64_t small);

/*
 * Appends a token to each of the first `rows` rows; later rows end.
 *   tokens  int64[rows]
 *   logits  float[rows][row_stride], of the next token, written
 */
HIR_API int32_t hir_decoder_step(int64_t decoder, hir_address tokens, int64_t rows, hir_address logits, int64_t row_stride);

/*
 * A step whose logits stay where they are: appends tokens as hir_decoder_step does, then draws each row's next one as
 * hir_sample does. Arrays are on the host. On a GPU it is one copy there, one back and one wait.
 *   tokens      int64[rows]: what to append; -1 is the row's last draw, which is then taken from the device's memory
 *   vocabulary  only ids below it are drawn
 *   counters    int32[rows][4], of the generator
 *   drawn       int64[rows], written
 *   logprobs    float[rows], written: as hir_sample's, among all ids
 */
HIR_API int32_t hir_decoder_draw(int64_t decoder, const int64_t *tokens, int64_t rows, double temperature, int64_t top_k,
                                 double top_p, double min_p, int64_t vocabulary, int64_t key, const int32_t *counters,
                                 int64_t *drawn, float *logprobs);

#ifdef __cplusplus
}
#endif
#endif
