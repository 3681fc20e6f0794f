package io.peftj.djl.backbone;

import io.peftj.core.run.Run;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;

/**
 * A layer norm of a frozen model, whose parameters adapters may replace.
 *
 * @param name its module's name
 * @param weight [width]
 * @param bias [width]
 */
public record LayerNorm(String name, Constant weight, Constant bias, double eps) {
    /** Loads a norm. */
    public static LayerNorm load(String name, int width, double eps, Weights weights) {
        return new LayerNorm(name, weights.vector(name + ".weight", width), weights.vector(name + ".bias", width), eps);
    }

    /** x [tokens, width] → [tokens, width]. */
    public Tensor apply(Run run, Tensor x) {
        return run.layerNorm(
                name,
                x,
                run.session().tensor(weight),
                run.session().tensor(bias),
                eps,
                run.batch().tokens());
    }
}
