package io.peftj.djl.backbone;

import io.peftj.core.run.Places;
import io.peftj.core.run.Run;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer of a frozen model, through which adapters act.
 *
 * @param site what and where it is
 * @param weight [out, in]
 * @param bias [out]; null for none
 */
public record Linear(Site site, Weight weight, @Nullable Constant bias) {
    /** Loads a layer. */
    public static Linear load(Site site, Weights weights) {
        return new Linear(site, weights.matrix(site), weights.bias(site));
    }

    /** x [tokens, in] → [tokens, out]. */
    public Tensor apply(Run run, Tensor x) {
        return apply(run, x, run.batch().tokens());
    }

    /** x [places, in] → [places, out]. */
    public Tensor apply(Run run, Tensor x, Places places) {
        return run.linear(site, x, weight, bias == null ? null : run.session().tensor(bias), places);
    }
}
