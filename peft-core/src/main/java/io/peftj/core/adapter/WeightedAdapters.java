package io.peftj.core.adapter;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.site.Site;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Adapters of one method and one model that are to be added up with weights, and what their sum needs whatever the method. */
public final class WeightedAdapters {
    private final BackboneSpec spec;
    private final BaseValues base;
    private final List<WeightedAdapter> terms;

    private WeightedAdapters(BackboneSpec spec, BaseValues base, List<WeightedAdapter> terms) {
        this.spec = spec;
        this.base = base;
        this.terms = List.copyOf(terms);
    }

    /**
     * Checks adapters, and brings them into the form in which they need nothing made of the base, with complete configurations.
     *
     * @param spec the model that all were made for
     * @param base its values
     * @throws InvalidConfigException if there is none, a weight is not finite, or the methods differ
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model
     */
    public static WeightedAdapters of(BackboneSpec spec, BaseValues base, WeightedAdapter... terms) {
        if (terms.length == 0) {
            throw new InvalidConfigException("a combination needs adapters, found none; give at least one");
        }
        Adapter first = terms[0].adapter();
        List<WeightedAdapter> checked = new ArrayList<>();
        for (WeightedAdapter term : terms) {
            if (!term.adapter().type().equals(first.type())) {
                throw new InvalidConfigException("a combination takes adapters of one method, found " + first.type()
                        + " and " + term.adapter().type() + "; attach the others to the rows beside the combination");
            }
            if (!Double.isFinite(term.weight())) {
                throw new InvalidConfigException(
                        "a combination's weight is " + term.weight() + "; expected a finite number");
            }
            AdapterFiles.check(term.adapter(), spec);
            checkOneBase(first, term.adapter());
            Adapter settled = AdapterMethods.settle(term.adapter(), spec, base);
            AdapterConfig config = AdapterMethods.complete(spec, settled.config());
            checkHead(AdapterMethods.plan(spec, config), settled);
            checked.add(new WeightedAdapter(settled.with(config, settled.parameters()), term.weight()));
        }
        return new WeightedAdapters(spec, base, checked);
    }

    /** A head that the model lacks has nothing that a change of it could be counted from. */
    private static void checkHead(AdapterPlan plan, Adapter adapter) {
        Set<String> own = new LinkedHashSet<>(adapter.parameters().keySet());
        plan.stored().forEach(parameter -> own.remove(parameter.name()));
        if (!own.isEmpty()) {
            throw new InvalidConfigException(
                    "the adapters bring " + own + ", a head that the base model has not, so that"
                            + " changes of it cannot be added up; combine adapters without a head, and train it on the"
                            + " combination");
        }
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

    /** The model. */
    public BackboneSpec spec() {
        return spec;
    }

    /** The model's values. */
    public BaseValues base() {
        return base;
    }

    /** The adapters, settled and with complete configurations. */
    public List<WeightedAdapter> terms() {
        return terms;
    }

    /** The adapters' configurations. */
    public <C extends AdapterConfig> List<C> configs(Class<C> type) {
        return terms.stream().map(term -> type.cast(term.adapter().config())).toList();
    }

    /** The exact sum, by the adapters' method. */
    public Adapter sum() {
        return AdapterMethods.named(terms.get(0).adapter().type()).sum(this);
    }

    // ---- what the sum's configuration says, whatever the method ----

    /** The modules that any of the adapters trains whole. */
    public List<String> modulesToSave() {
        Set<String> all = new LinkedHashSet<>();
        terms.forEach(term -> all.addAll(term.adapter().config().modulesToSave()));
        return List.copyOf(all);
    }

    /**
     * What all are for.
     *
     * @throws InvalidConfigException if that differs
     */
    public @Nullable TaskType taskType() {
        Set<TaskType> types = terms.stream()
                .map(term -> term.adapter().config().taskType())
                .filter(Objects::nonNull)
                .collect(Collectors.toCollection(LinkedHashSet::new));
        if (types.size() > 1) {
            throw new InvalidConfigException(
                    "the adapters are for different tasks, " + types + "; combine adapters of one task type");
        }
        return types.stream().findFirst().orElse(null);
    }

    /**
     * Checks that no adapter replaces what another changes otherwise, whose changes would not add up.
     *
     * @param changed where some adapters act
     * @param how they do, such as "by low-rank matrices"
     */
    public void checkOneWay(Collection<Site> changed, String how) {
        List<String> whole = modulesToSave();
        for (Site site : changed) {
            if (whole.stream().anyMatch(entry -> Targets.isInside(site.name(), entry))) {
                throw new InvalidConfigException("the adapters train \"" + site.name() + "\" in two ways, whole and "
                        + how + ", which one adapter cannot; merge them into the model instead");
            }
        }
    }

    /** The sum as an adapter, of values that may come in any order. */
    public Adapter of(AdapterConfig config, AdapterPlan plan, Map<String, HostTensor> values) {
        Map<String, HostTensor> stored = new LinkedHashMap<>();
        plan.stored()
                .forEach(parameter ->
                        stored.put(parameter.name(), Objects.requireNonNull(values.get(parameter.name()))));
        Adapter first = terms.get(0).adapter();
        boolean oneTask = terms.stream().allMatch(term -> term.adapter().task().equals(first.task()));
        return new Adapter(
                first.type(),
                config,
                stored,
                oneTask ? first.task() : TaskData.NONE,
                first.fingerprint(),
                new JsonObject());
    }

    // ---- what is replaced ----

    /**
     * The stored values of what a plan of the sum replaces: each the base's own and the weighted sum of the changes.
     *
     * @throws InvalidConfigException if the base has no values of it
     */
    public Map<String, HostTensor> replaced(AdapterPlan plan) {
        List<List<Contribution>> contributions = terms.stream()
                .map(term -> AdapterMethods.plan(spec, term.adapter().config()).contributions())
                .toList();
        Map<String, HostTensor> sums = new LinkedHashMap<>();
        for (Contribution contribution : plan.contributions()) {
            if (contribution instanceof Substitute whole) {
                HostTensor sum = sum(whole.baseParameter(), contributions);
                sums.put(whole.replacement(), whole.transposed() ? sum.transposed() : sum);
            } else if (contribution instanceof SubstituteRows rows) {
                HostTensor sum = rows(sum(rows.baseParameter(), contributions), rows.rows());
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
    private HostTensor sum(String parameter, List<List<Contribution>> contributions) {
        HostTensor own = own(parameter, contributions);
        double[] sum = new double[own.values().length];
        Arrays.setAll(sum, i -> own.values()[i]);
        for (int t = 0; t < terms.size(); t++) {
            double weight = terms.get(t).weight();
            Map<String, HostTensor> stored = terms.get(t).adapter().parameters();
            for (Contribution contribution : contributions.get(t)) {
                if (contribution instanceof Substitute whole
                        && whole.baseParameter().equals(parameter)) {
                    float[] value = replacement(whole, stored).values();
                    for (int i = 0; i < sum.length; i++) {
                        sum[i] += weight * ((double) value[i] - own.values()[i]);
                    }
                } else if (contribution instanceof SubstituteRows rows
                        && rows.baseParameter().equals(parameter)) {
                    float[] value = stored(rows.replacement(), stored).values();
                    int width = own.shape().dim(1);
                    for (int i = 0; i < value.length; i++) {
                        int at = rows.rows().get(i / width) * width + i % width;
                        sum[at] += weight * ((double) value[i] - own.values()[at]);
                    }
                }
            }
        }
        return rounded(own.shape(), sum);
    }

    /** The base's values, which are 0 of a bias that its layer has none of. */
    private HostTensor own(String parameter, List<List<Contribution>> contributions) {
        if (base.hasBase(parameter)) {
            return base.base(parameter);
        }
        if (spec.parameters().containsKey(parameter)) {
            throw new InvalidConfigException("the adapters train " + parameter
                    + " whole, of which the base model has no values, so that changes of it cannot be added up;"
                    + " combine adapters without it, and train it on the combination");
        }
        for (int t = 0; t < terms.size(); t++) {
            for (Contribution contribution : contributions.get(t)) {
                if (contribution instanceof Substitute whole
                        && whole.baseParameter().equals(parameter)) {
                    Shape shape = replacement(whole, terms.get(t).adapter().parameters())
                            .shape();
                    return HostTensor.filled(shape, 0);
                }
            }
        }
        throw new IllegalArgumentException("no adapter replaces " + parameter);
    }

    private static HostTensor replacement(Substitute whole, Map<String, HostTensor> stored) {
        HostTensor value = stored(whole.replacement(), stored);
        return whole.transposed() ? value.transposed() : value;
    }

    private static HostTensor stored(String name, Map<String, HostTensor> stored) {
        return Objects.requireNonNull(stored.get(name), name);
    }

    /**
     * Stored values that changes are counted from another value than the base's, such as scales from 1: it and Σ wᵢ·(vᵢ − it) over the adapters that
     * have them.
     *
     * @param from where an adapter changes nothing
     */
    public HostTensor sum(ParameterSpec parameter, double from) {
        double[] sum = new double[Math.toIntExact(parameter.shape().size())];
        Arrays.fill(sum, from);
        for (WeightedAdapter term : terms) {
            HostTensor value = term.adapter().parameters().get(parameter.name());
            if (value != null) {
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += term.weight() * (value.values()[i] - from);
                }
            }
        }
        return rounded(parameter.shape(), sum);
    }

    private static HostTensor rounded(Shape shape, double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) values[i];
        }
        return HostTensor.of(shape, rounded);
    }

    private static HostTensor rows(HostTensor matrix, List<Integer> numbers) {
        int width = matrix.shape().dim(1);
        float[] rows = new float[numbers.size() * width];
        for (int i = 0; i < numbers.size(); i++) {
            System.arraycopy(matrix.values(), numbers.get(i) * width, rows, i * width, width);
        }
        return HostTensor.of(Shape.of(numbers.size(), width), rows);
    }
}
