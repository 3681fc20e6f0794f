package io.peftj.methods.lora;

import java.util.Map;

/**
 * LoRA+ (arXiv 2402.12354): B learns faster than A.
 *
 * <p>The ratio belongs to training, not to the adapter: give it to the trainer, {@code trainer.learningRateFactors(LoraPlus.ratio(16))}, with a lower
 * learning rate than for plain LoRA.
 */
public final class LoraPlus {
    /** The paper's ratio. */
    public static final double USUAL_RATIO = 16;

    private LoraPlus() {}

    /**
     * The factor of the learning rate by the end of a parameter's name: of the matrices B of linear layers. All else, embeddings and heads included,
     * learns at the rate itself.
     *
     * @param ratio B's learning rate over A's
     */
    public static Map<String, Double> ratio(double ratio) {
        return Map.of(".lora_B.weight", ratio);
    }
}
