package io.peftj.djl.backbone;

import io.peftj.core.run.Places;
import io.peftj.core.run.Run;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Linear layers of a frozen model that read one input, such as those of queries, keys and values: one product for all, and each is a site of its own
 * to adapters.
 *
 * @param parts the layers
 * @param whole their matrices below each other [Σ out, in]; null if each is multiplied alone
 * @param bias their biases one after another [Σ out]; null for none
 */
public record FusedLinear(
        List<Linear> parts,
        @Nullable Weight whole,
        @Nullable Constant bias) {
    /** Loads layers. */
    public static FusedLinear load(Weights weights, Site... sites) {
        Weight whole = weights.fused(List.of(sites));
        return new FusedLinear(
                List.of(sites).stream().map(site -> Linear.load(site, weights)).toList(),
                whole,
                whole == null ? null : weights.fusedBias(List.of(sites)));
    }

    /** x [tokens, in] → of each layer [tokens, out]. */
    public List<Tensor> apply(Run run, Tensor x) {
        // Loops instead of streams: this runs in every layer of every pass.
        boolean shared = whole != null;
        boolean touched = false;
        int[] sizes = new int[parts.size()];
        for (int i = 0; i < sizes.length; i++) {
            Site site = parts.get(i).site();
            shared = shared && run.keepsProduct(site);
            touched |= run.touches(site);
            sizes[i] = site.out();
        }
        if (whole == null || !shared) {
            return parts.stream().map(part -> part.apply(run, x)).toList();
        }
        // Adapters act before the bias, which then comes by site.
        Tensor y =
                x.linear(whole, touched || bias == null ? null : run.session().tensor(bias));
        List<Tensor> products = y.split(1, sizes);
        if (!touched) {
            return products;
        }
        Places places = run.batch().tokens();
        List<Tensor> adapted = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Linear part = parts.get(i);
            Tensor own = part.bias() == null ? null : run.session().tensor(part.bias());
            adapted.add(run.adapted(part.site(), x, products.get(i), part.weight(), own, places));
        }
        return adapted;
    }
}
