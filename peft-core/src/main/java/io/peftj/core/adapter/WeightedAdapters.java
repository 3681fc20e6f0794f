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
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Adapters of one method and one model that are to be added up with weights, and what their sum needs whatever the method. */
public final class WeightedAdapters {
    private final BackboneSpec spec;
    private final BaseValues base;
    private final List<WeightedAdapter> terms;
    private final @Nullable String fingerprint;
    private final TaskData task;

    private WeightedAdapters(
            BackboneSpec spec, BaseValues base, List<WeightedAdapter> terms, @Nullable String fingerprint) {
        this.spec = spec;
        this.base = base;
        this.terms = List.copyOf(terms);
        this.fingerprint = fingerprint;
        this.task = task(terms);
    }

    /**
     * Checks adapters, and brings them into the form in which they need nothing made of the base, with complete configurations.
     *
     * @param spec the model that all were made for
     * @param base its values
     * @param identity tells it from other models; null where that is not known, and the adapters are compared with each other
     * @throws InvalidConfigException if there is none, a weight is not finite, or methods, tasks, labels or poolings differ
     * @throws io.peftj.core.IncompatibleAdapterException if an adapter was made for another model or tokenizer
     */
    public static WeightedAdapters of(
            BackboneSpec spec, BaseValues base, @Nullable Fingerprint identity, WeightedAdapter... terms) {
        if (terms.length == 0) {
            throw new InvalidConfigException("a combination needs adapters, found none; give at least one");
        }
        String type = terms[0].adapter().type();
        String recorded = identity == null ? null : identity.encode();
        List<WeightedAdapter> checked = new ArrayList<>();
        for (WeightedAdapter term : terms) {
            Adapter adapter = term.adapter();
            if (!adapter.type().equals(type)) {
                throw new InvalidConfigException("a combination takes adapters of one method, found " + type + " and "
                        + adapter.type() + "; attach the others to the rows beside the combination");
            }
            if (!Double.isFinite(term.weight())) {
                throw new InvalidConfigException(
                        "a combination's weight is " + term.weight() + "; expected a finite number, such as 0.5 or -1");
            }
            checkOneBase(recorded, adapter.fingerprint());
            recorded = recorded == null ? adapter.fingerprint() : recorded;
            checked.add(new WeightedAdapter(settled(spec, base, adapter), term.weight()));
        }
        return new WeightedAdapters(spec, base, checked, recorded);
    }

    private static Adapter settled(BackboneSpec spec, BaseValues base, Adapter adapter) {
        Adapter fitting = AdapterFit.fit(adapter, List.of(), spec, LoadOptions.STRICT);
        checkHead(adapter, fitting);
        Adapter complete = fitting.with(AdapterMethods.complete(spec, fitting.config()), fitting.parameters());
        return AdapterMethods.settle(complete, spec, base);
    }

    /** A head that the model lacks has nothing that a change of it could be counted from. */
    private static void checkHead(Adapter adapter, Adapter fitting) {
        List<String> heads = adapter.parameters().keySet().stream()
                .filter(name -> !fitting.parameters().containsKey(name))
                .filter(AdapterFit::isUsualHead)
                .toList();
        if (!heads.isEmpty()) {
            throw new InvalidConfigException("the adapters bring " + heads + ", a head that the base model has not, so"
                    + " that changes of it cannot be added up; combine adapters without a head, and train it on the"
                    + " combination");
        }
    }

    private static void checkOneBase(@Nullable String one, @Nullable String two) {
        if (one != null && two != null) {
            Fingerprint first = Fingerprint.decode(one, "an adapter's fingerprint of its base");
            Fingerprint.decode(two, "an adapter's fingerprint of its base")
                    .differenceFrom(first)
                    .ifPresent(difference -> {
                        throw new IncompatibleAdapterException("a combination takes adapters of one base model: "
                                + difference + "; combine those of one, on that base");
                    });
        }
    }

    // ---- what the sum says to applications ----

    private static TaskData task(List<WeightedAdapter> terms) {
        List<TaskData> all = terms.stream().map(term -> term.adapter().task()).toList();
        return new TaskData(
                one("labels", all, data -> data.labels().isEmpty() ? null : data.labels())
                        .orElse(List.of()),
                agreed(all, TaskData::promptTemplate),
                agreed(all, TaskData::maxLength),
                one("a pooling", all, TaskData::pooling).orElse(null),
                one("a tokenizer", all, TaskData::tokenizerFingerprint).orElse(null));
    }

    /** What all that say something say. */
    private static <T> Optional<T> one(String what, List<TaskData> all, Function<TaskData, @Nullable T> part) {
        Set<T> found = said(all, part);
        if (found.size() > 1) {
            throw new InvalidConfigException("the adapters have " + what + " each of their own, " + found
                    + ", which one adapter cannot have; combine adapters that agree");
        }
        return found.stream().findFirst();
    }

    /** What all say, or nothing: applications do without. */
    private static <T> @Nullable T agreed(List<TaskData> all, Function<TaskData, @Nullable T> part) {
        Set<T> found = said(all, part);
        return found.size() == 1 ? found.iterator().next() : null;
    }

    private static <T> Set<T> said(List<TaskData> all, Function<TaskData, @Nullable T> part) {
        Set<T> found = new LinkedHashSet<>();
        for (TaskData data : all) {
            T value = part.apply(data);
            if (value != null) {
                found.add(value);
            }
        }
        return found;
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

    /**
     * The sum as an adapter.
     *
     * @param values its stored parameters, in any order
     * @throws InvalidConfigException if a value is not finite
     */
    public Adapter adapter(AdapterConfig config, AdapterPlan plan, Map<String, HostTensor> values) {
        Map<String, HostTensor> stored = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.stored()) {
            HostTensor value = stored(parameter.name(), values);
            for (float element : value.values()) {
                if (!Float.isFinite(element)) {
                    throw new InvalidConfigException("the sum's " + parameter.name()
                            + " is not finite; give smaller weights, or leave out an adapter that is not finite");
                }
            }
            stored.put(parameter.name(), value);
        }
        return new Adapter(terms.get(0).adapter().type(), config, stored, task, fingerprint, new JsonObject());
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
    public HostTensor sumFrom(double from, ParameterSpec parameter) {
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
