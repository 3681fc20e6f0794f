package io.peftj.core.run;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.WeightedAdapter;
import io.peftj.core.adapter.WeightedAdapters;

/**
 * Adapters of one method and one model added up with weights, of either sign: one adapter whose change of the model's parameters is Σ wᵢ·ΔWᵢ.
 *
 * <p>There is one for methods whose changes add up to a change that the method can make: LoRA (ranks add up), (IA)3, BitFit, full fine-tuning and heads.
 * The adapters may differ in settings. What they train whole (heads, biases, rows of embeddings) is added up as changes of the base's own values.
 */
public final class AdapterCombination {
    private AdapterCombination() {}

    /**
     * The exact sum.
     *
     * @param base the model that all adapters were made for
     * @throws io.peftj.core.InvalidConfigException if the adapters cannot be added up; the message says why, and what to do instead
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model
     */
    public static Adapter exact(FrozenBase base, WeightedAdapter... terms) {
        return checked(base, terms).sum();
    }

    /** Adapters that were checked, for methods that add them up otherwise too. */
    public static WeightedAdapters checked(FrozenBase base, WeightedAdapter... terms) {
        return WeightedAdapters.of(base.spec(), new Derivation(base), base.fingerprint(), terms);
    }
}
