package io.peftj.methods.lora;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.run.Derivation;
import io.peftj.core.run.FrozenBase;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * LoRA adapters of one model added up with weights, of either sign: one adapter whose change of the model is Σ wᵢ·ΔWᵢ.
 *
 * <p>The adapters may differ in rank, alpha, targets and start. What they train whole (heads, biases, rows of embeddings) is added up as changes of the
 * base's own values. DoRA's change is no product of small matrices, so it cannot be combined.
 */
public final class LoraCombination {
    private final FrozenBase base;
    private final List<Planned> terms;

    /** An adapter and how much of its change counts. */
    public record Term(Adapter adapter, double weight) {}

    /** A term as it acts on the model. */
    record Planned(Adapter adapter, LoraConfig config, LoraPlan plan, double weight) {
        HostTensor value(String stored) {
            return Objects.requireNonNull(adapter.parameters().get(stored), stored);
        }
    }

    private LoraCombination(FrozenBase base, List<Planned> terms) {
        this.base = base;
        this.terms = terms;
    }

    /**
     * The exact sum: matrices one after another, so that ranks add up.
     *
     * @param base the model that all adapters were made for
     * @throws InvalidConfigException if an adapter cannot be combined with the others
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model
     */
    public static Adapter exact(FrozenBase base, Term... terms) {
        return of(base, terms).combined(Factors::joined);
    }

    /**
     * The nearest sum of a rank: no change of this rank differs less from the exact one, by the sum of squares in each matrix.
     *
     * @param rank of every target; zeros fill it up where the exact sum's is lower
     * @throws InvalidConfigException if an adapter cannot be combined with the others, or the rank is below 1
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model
     */
    public static Adapter nearest(FrozenBase base, int rank, Term... terms) {
        if (rank < 1) {
            throw new InvalidConfigException("a combination's rank is " + rank + "; expected at least 1");
        }
        return of(base, terms)
                .combined(blocks ->
                        Factors.joined(blocks).nearest(rank, base.backend().linearAlgebra()));
    }

    private static LoraCombination of(FrozenBase base, Term... terms) {
        if (terms.length == 0) {
            throw new InvalidConfigException("a combination needs adapters, found none; give at least one");
        }
        List<Planned> planned = new ArrayList<>();
        for (Term term : terms) {
            planned.add(planned(base, term));
        }
        planned.forEach(term -> checkOneBase(planned.get(0).adapter(), term.adapter()));
        return new LoraCombination(base, planned);
    }

    private static void checkOneBase(Adapter one, Adapter two) {
        if (one.fingerprint() != null && two.fingerprint() != null) {
            Fingerprint first = Fingerprint.decode(one.fingerprint(), "an adapter's fingerprint of its base");
            Fingerprint.decode(two.fingerprint(), "an adapter's fingerprint of its base")
                    .differenceFrom(first)
                    .ifPresent(difference -> {
                        throw new IncompatibleAdapterException(
                                "a combination takes adapters of one base model: " + difference);
                    });
        }
    }

    private static Planned planned(FrozenBase base, Term term) {
        if (!(term.adapter().config() instanceof LoraConfig config)) {
            throw new InvalidConfigException("a combination takes LoRA adapters, found one of type "
                    + term.adapter().type() + "; attach it to the rows beside the combination");
        }
        if (config.dora()) {
            throw new InvalidConfigException(
                    "a combination takes adapters without use_dora: DoRA's change has the rank of"
                            + " the base's matrices; merge the adapter into the model instead");
        }
        if (!Double.isFinite(term.weight())) {
            throw new InvalidConfigException(
                    "a combination's weight is " + term.weight() + "; expected a finite number");
        }
        AdapterFiles.check(term.adapter(), base.spec());
        Adapter adapter = AdapterMethods.settle(term.adapter(), base.spec(), new Derivation(base));
        LoraConfig complete = AdapterMethods.complete(base.spec(), (LoraConfig) adapter.config());
        return new Planned(adapter, complete, new LoraPlan(base.spec(), complete), term.weight());
    }

    private Adapter combined(Function<List<Factors>, Factors> sum) {
        Map<Site, Factors> products = products(sum);
        LoraConfig config = new CombinedConfig(base.spec(), terms, products).make();
        LoraPlan plan = new LoraPlan(base.spec(), config);
        Map<String, HostTensor> found = new LinkedHashMap<>(wholes(plan));
        plan.lowRank().forEach((site, part) -> found.putAll(part.named(Objects.requireNonNull(products.get(site)))));
        Map<String, HostTensor> stored = new LinkedHashMap<>();
        plan.stored()
                .forEach(
                        parameter -> stored.put(parameter.name(), Objects.requireNonNull(found.get(parameter.name()))));
        return new Adapter(
                "LORA", config, stored, task(), terms.get(0).adapter().fingerprint(), new JsonObject());
    }

    private Map<Site, Factors> products(Function<List<Factors>, Factors> sum) {
        Map<Site, List<Factors>> blocks = new LinkedHashMap<>();
        for (Planned term : terms) {
            term.plan()
                    .lowRank()
                    .forEach((site, part) -> blocks.computeIfAbsent(site, key -> new ArrayList<>())
                            .add(part.factors(term.adapter().parameters()).times(term.weight())));
        }
        Map<Site, Factors> products = new LinkedHashMap<>();
        for (Site site : base.spec().sites()) {
            if (blocks.containsKey(site)) {
                products.put(site, sum.apply(blocks.get(site)));
            }
        }
        return products;
    }

    // ---- what is trained whole ----

    private Map<String, HostTensor> wholes(LoraPlan plan) {
        Map<String, HostTensor> sums = new LinkedHashMap<>();
        for (Contribution contribution : plan.contributions()) {
            if (contribution instanceof Substitute whole) {
                HostTensor sum = sum(whole.baseParameter());
                sums.put(whole.replacement(), whole.transposed() ? sum.transposed() : sum);
            } else if (contribution instanceof SubstituteRows rows) {
                HostTensor sum = rows(sum(rows.baseParameter()), rows.rows());
                HostTensor other = sums.put(rows.replacement(), sum);
                if (other != null && !Arrays.equals(other.values(), sum.values())) {
                    throw new InvalidConfigException(
                            "the adapters train rows of both ends of the tied embedding apart, but"
                                    + " the same ones in all, " + rows.rows()
                                    + ", which a file cannot tell from rows of both;"
                                    + " merge the adapters into the model instead");
                }
            }
        }
        return sums;
    }

    /** W + Σ wᵢ·(Wᵢ − W) of a parameter that some terms replace whole or by rows. */
    private HostTensor sum(String parameter) {
        HostTensor own = base.parameter(parameter)
                .orElseThrow(() -> new InvalidConfigException("the adapters train " + parameter
                        + " whole, of which the base model has no values, so that changes of it cannot be added up;"
                        + " combine adapters without it, and train it on the combination"));
        double[] sum = new double[own.values().length];
        Arrays.setAll(sum, i -> own.values()[i]);
        for (Planned term : terms) {
            for (Contribution contribution : term.plan().contributions()) {
                if (contribution instanceof Substitute whole
                        && whole.baseParameter().equals(parameter)) {
                    HostTensor stored = term.value(whole.replacement());
                    float[] value = (whole.transposed() ? stored.transposed() : stored).values();
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += term.weight() * ((double) value[i] - own.values()[i]);
                    }
                } else if (contribution instanceof SubstituteRows rows
                        && rows.baseParameter().equals(parameter)) {
                    float[] value = term.value(rows.replacement()).values();
                    int width = own.shape().dim(1);
                    for (int i = 0; i < value.length; i++) {
                        int at = rows.rows().get(i / width) * width + i % width;
                        sum[at] += term.weight() * ((double) value[i] - own.values()[at]);
                    }
                }
            }
        }
        float[] rounded = new float[sum.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) sum[i];
        }
        return HostTensor.of(own.shape(), rounded);
    }

    private static HostTensor rows(HostTensor matrix, List<Integer> numbers) {
        int width = matrix.shape().dim(1);
        float[] rows = new float[numbers.size() * width];
        for (int i = 0; i < numbers.size(); i++) {
            System.arraycopy(matrix.values(), numbers.get(i) * width, rows, i * width, width);
        }
        return HostTensor.of(Shape.of(numbers.size(), width), rows);
    }

    /** What all terms say of the task, or nothing. */
    private TaskData task() {
        TaskData first = terms.get(0).adapter().task();
        return terms.stream().allMatch(term -> term.adapter().task().equals(first)) ? first : TaskData.NONE;
    }
}
