package io.peftj.methods.lora;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.WeightedAdapter;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.run.AdapterCombination;
import io.peftj.core.run.FrozenBase;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * LoRA adapters of one model added up to one of a rank of choice; {@link AdapterCombination} has the exact sum, whose rank is the sum of ranks.
 *
 * <p>The adapters may differ in rank, alpha, targets and start. What they train whole is added up exactly. DoRA's change is no product of small matrices,
 * so it cannot be combined.
 */
public final class LoraCombination {
    private final WeightedAdapters adapters;
    private final List<Planned> terms;

    /** A term as it acts on the model. */
    record Planned(Adapter adapter, LoraConfig config, LoraPlan plan, double weight) {}

    /** Plans adapters without what cannot be added up. */
    LoraCombination(WeightedAdapters adapters) {
        this.adapters = adapters;
        this.terms =
                adapters.terms().stream().map(term -> planned(adapters, term)).toList();
    }

    private static Planned planned(WeightedAdapters adapters, WeightedAdapter term) {
        if (!(term.adapter().config() instanceof LoraConfig config)) {
            throw new InvalidConfigException("a combination of a rank takes LoRA adapters, found one of type "
                    + term.adapter().type() + "; take AdapterCombination.exact for others");
        }
        if (config.dora()) {
            throw new InvalidConfigException(
                    "a combination takes adapters without use_dora: DoRA's change has the rank of"
                            + " the base's matrices; merge the adapter into the model instead");
        }
        return new Planned(term.adapter(), config, new LoraPlan(adapters.spec(), config), term.weight());
    }

    /**
     * The nearest sum of a rank: no change of this rank differs less from the exact one, by the sum of squares in each matrix.
     *
     * @param rank of every target; zeros fill it up where the exact sum's is lower
     * @throws InvalidConfigException if an adapter cannot be combined with the others, or the rank is below 1
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model
     */
    public static Adapter nearest(FrozenBase base, int rank, WeightedAdapter... terms) {
        if (rank < 1) {
            throw new InvalidConfigException("a combination's rank is " + rank + "; expected at least 1, such as 8");
        }
        WeightedAdapters checked = AdapterCombination.checked(base, terms);
        return new LoraCombination(checked)
                .combined(sum -> sum.nearest(rank, checked.base().linearAlgebra()));
    }

    /** The exact sum: matrices one after another, so that ranks add up. */
    Adapter exact() {
        return combined(sum -> sum);
    }

    private Adapter combined(UnaryOperator<Factors> form) {
        Map<Site, Factors> products = products(form);
        LoraConfig config = new CombinedConfig(adapters, terms, products).make();
        LoraPlan plan = new LoraPlan(adapters.spec(), config);
        Map<String, HostTensor> values = new LinkedHashMap<>(adapters.replaced(plan));
        plan.lowRank().forEach((site, part) -> values.putAll(part.named(Objects.requireNonNull(products.get(site)))));
        return adapters.adapter(config, plan, values);
    }

    private Map<Site, Factors> products(UnaryOperator<Factors> form) {
        Map<Site, List<Factors>> blocks = new LinkedHashMap<>();
        for (Planned term : terms) {
            term.plan()
                    .lowRank()
                    .forEach((site, part) -> blocks.computeIfAbsent(site, key -> new ArrayList<>())
                            .add(part.factors(term.adapter().parameters()).times(term.weight())));
        }
        Map<Site, Factors> products = new LinkedHashMap<>();
        for (Site site : adapters.spec().sites()) {
            if (blocks.containsKey(site)) {
                products.put(site, form.apply(Factors.joined(blocks.get(site))));
            }
        }
        return products;
    }
}
