package io.peftj.djl.engine;

import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which kernels compute what, by device, format and size: all such rules stand here, and none depends on a measured time, so that equal runs stay
 * equal.
 *
 * <p>Operations that an older or differently built libtorch may lack are tried once at the start, each in an archive of its own, because one
 * unknown name makes a whole archive fail.
 *
 * @param processor what computes
 * @param oneDnnF32 whether oneDNN can multiply matrices in single precision
 * @param oneDnnBf16 whether oneDNN can multiply matrices in bf16
 * @param flashAttention whether the processor's fused attention is used
 * @param fusedAdamW whether the optimiser's fused kernel is used
 */
record KernelChoice(
        Processor processor, boolean oneDnnF32, boolean oneDnnBf16, boolean flashAttention, boolean fusedAdamW) {
    private static final Logger LOGGER = LoggerFactory.getLogger(KernelChoice.class);
    private static final double TOLERANCE = 0.02; // of bf16; a wrong kernel is off by far more

    /** Below this, starting oneDNN costs more than it gains. */
    private static final int SMALLEST_FAST_SIDE = 32;

    /** From so many tokens on, libtorch's own way to multiply in tiles is up to twice as fast as the one taken otherwise; below it is half as fast. */
    private static final int FEWEST_TILED_TOKENS = 32;

    /** Packed weights gain up to so many tokens, and are packed for so many. */
    static final int PACKED_FOR = 16;

    private static final int MOST_PACKED_TOKENS = 32;

    /** Fewer tokens than this gain nothing from packed weights in single precision. */
    private static final int FEWEST_PACKED_TOKENS = 4;

    /** Rows shorter than this pass attention's gradients in single precision: the bf16 kernel is two to four times slower there. */
    private static final int SHORTEST_BF16_GRADIENT = 512;

    /** Logits of one chunk of the loss: 4 MB in single precision, unless that makes fewer rows than a product wants. */
    private static final int CHUNK_LOGITS = 1 << 20;

    private static final int FEWEST_CHUNK_ROWS = 128;

    /** Tries what may be missing. */
    static KernelChoice probe(PtNDManager manager, EngineOptions options) {
        if (options.isCuda()) {
            return new KernelChoice(
                    Processor.OTHER,
                    false,
                    false,
                    false,
                    works(manager, options, "adamw_probe", List.of("adamw_fused")));
        }
        return new KernelChoice(
                Processor.here(),
                worksIn(ScalarType.F32, manager, options),
                worksIn(ScalarType.BF16, manager, options),
                works(manager, options, "attend_probe", List.of("attention_flash")),
                works(manager, options, "adamw_probe", List.of("adamw_fused")));
    }

    /** The fast kernels that are used, each after a comma. */
    String names() {
        return (fastF32() ? ", oneDNN f32" : "")
                + (oneDnnBf16 ? ", oneDNN bf16" : "")
                + (flashAttention ? ", flash attention" : "")
                + (fusedAdamW ? ", fused AdamW" : "");
    }

    /** The archive's parts, what is called most first: libtorch looks methods up in order. */
    List<String> resources() {
        return List.of(
                "products",
                oneDnnF32 || oneDnnBf16 ? "linear_onednn" : "linear_portable",
                "norms",
                "attention",
                "attention_products",
                "cache",
                flashAttention ? "attention_flash" : "attention_portable",
                "activations",
                "structure",
                "elementwise",
                "losses",
                "updates",
                "linalg",
                fusedAdamW ? "adamw_fused" : "adamw_portable");
    }

    /** Whether a product of a frozen weight with some tokens calls oneDNN itself instead of leaving it to libtorch. */
    boolean fastWeight(ScalarType type, int tokens) {
        return switch (type) {
            case F32 -> fastF32();
            case BF16 -> oneDnnBf16 && !(processor.tiles() && tokens >= FEWEST_TILED_TOKENS);
            default -> false;
        };
    }

    /**
     * Whether a product of a frozen weight with some tokens is faster with oneDNN's packed copy of it. In single precision the layout by columns is as
     * good except on Intel's processors, whose MKL is not.
     */
    boolean packs(ScalarType type, int tokens) {
        return switch (type) {
            case F32 ->
                oneDnnF32 && processor.intel() && tokens >= FEWEST_PACKED_TOKENS && tokens <= MOST_PACKED_TOKENS;
            case BF16 -> oneDnnBf16 && tokens <= MOST_PACKED_TOKENS;
            default -> false;
        };
    }

    /** On Intel's processors MKL, which libtorch takes by itself, is a little faster, and up to twice at few tokens. */
    private boolean fastF32() {
        return oneDnnF32 && !processor.intel();
    }

    /**
     * Whether frozen matrices are laid out by columns. In single precision that makes products of 4 to 64 tokens up to twice as fast, as fast as a
     * layout of oneDNN's own, and those of more tokens a little faster; their gradients lose what they gain.
     */
    boolean columnsFirst(ScalarType type) {
        return type == ScalarType.F32 && oneDnnF32;
    }

    /** Whether a product whose sides have these sizes, tokens first, calls oneDNN. */
    boolean fastProduct(ScalarType type, int... sides) {
        for (int side : sides) {
            if (side < SMALLEST_FAST_SIDE) {
                return false;
            }
        }
        return fastWeight(type, sides[0]);
    }

    /** Whether attention's gradients over bf16 are computed in single precision. */
    boolean wideAttentionGradient(int longestRow, boolean prefixes) {
        return prefixes || longestRow < SHORTEST_BF16_GRADIENT;
    }

    /** Whether attention of single tokens over a cache is computed by products; over bf16 they are slower than the fused kernel. */
    boolean tokenProducts(ScalarType type) {
        return type != ScalarType.BF16 || !flashAttention;
    }

    /** How many rows of logits are computed at once. */
    int lossChunk(int classes) {
        return Math.max(FEWEST_CHUNK_ROWS, CHUNK_LOGITS / Math.max(1, classes));
    }

    private static boolean worksIn(ScalarType type, PtNDManager manager, EngineOptions options) {
        try (IValue code = IValue.from((long) type.code())) {
            return works(manager, options, "fast_linear_error", List.of("linear_onednn"), code);
        }
    }

    private static boolean works(
            PtNDManager manager, EngineOptions options, String probe, List<String> resources, IValue... arguments) {
        String methods = new KernelSource(resources, options.device()).all();
        try (Script script = Script.load(manager, methods);
                IValue error = script.call(probe, arguments)) {
            return error.toDouble() < TOLERANCE;
        } catch (RuntimeException e) {
            LOGGER.debug("{} is missing from this libtorch; computing without it", resources, e);
            return false;
        }
    }
}
