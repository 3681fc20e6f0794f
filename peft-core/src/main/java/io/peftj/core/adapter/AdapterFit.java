package io.peftj.core.adapter;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compares what an adapter holds with what its method has on a model. */
final class AdapterFit {
    private static final Logger LOG = LoggerFactory.getLogger(AdapterFit.class);
    private static final int SHOWN = 3;

    /** Of encoders whose output is pooled otherwise: it is there for PEFT, and nothing reads what it gives. */
    private static final Pattern POOLER = Pattern.compile("(?:.*\\.)?pooler\\.");

    private static final Pattern LAYER = Pattern.compile("\\.(\\d{1,6})\\.");

    private final Adapter adapter;
    private final BackboneSpec spec;
    private final Map<String, Shape> expected = new LinkedHashMap<>();
    private final List<String> missing = new ArrayList<>();
    private final List<String> surplus = new ArrayList<>();
    private final List<String> wrong = new ArrayList<>();

    private AdapterFit(Adapter adapter, BackboneSpec spec) {
        this.adapter = adapter;
        this.spec = spec;
    }

    /** The adapter with exactly the parameters of its plan, in the plan's order. */
    static Adapter fit(
            Adapter adapter, List<AdapterTensors.Copy> copiesOfBase, BackboneSpec spec, LoadOptions options) {
        AdapterFit fit = new AdapterFit(adapter, spec);
        AdapterPlan plan = fit.plan();
        fit.compare(plan);
        fit.compareCopies(
                copiesOfBase.stream().map(AdapterTensors.Copy::parameter).toList());
        Adapter fitting = fit.result(options);
        plan.check(fitting.parameters());
        return fitting;
    }

    /** Compares the base that an adapter recorded, if any, with the one at hand. */
    static void compareBases(Adapter adapter, Fingerprint base, LoadOptions options) {
        String recorded = adapter.fingerprint();
        if (recorded == null) {
            return;
        }
        Fingerprint.decode(recorded, "the adapter's fingerprint of its base")
                .differenceFrom(base)
                .ifPresent(difference -> refuse(adapter, difference, options));
    }

    /** Compares copies of the base that came with an adapter, but for heads, which start at random, with the base at hand. */
    static void compareValues(
            Adapter adapter,
            List<AdapterTensors.Copy> copies,
            BackboneSpec spec,
            Function<String, Optional<Fingerprint.Tensor>> base,
            LoadOptions options) {
        if (!adapter.config().copiesBaseUnchanged()) {
            return;
        }
        for (AdapterTensors.Copy copy : copies) {
            String name = copy.parameter().name();
            if (!isUsualHead(name)) {
                base.apply(name)
                        .filter(tensor -> tensor.shape().equals(copy.parameter().shape()))
                        .flatMap(tensor -> Fingerprint.difference(name, copy.samples(), tensor.samples()))
                        .ifPresent(difference ->
                                refuse(adapter, "it came with a copy of the base's, in which " + difference, options));
            }
        }
    }

    private static void refuse(Adapter adapter, String difference, LoadOptions options) {
        if (!options.lenient()) {
            throw new IncompatibleAdapterException(
                    "the adapter (" + adapter.type()
                            + ") does not belong to the base model: " + difference
                            + "; load it with the base model it was trained on, or with LoadOptions.LENIENT if this one is to do");
        }
        LOG.warn("the adapter was made for another base model: {}", difference);
    }

    private void compare(AdapterPlan plan) {
        for (ParameterSpec parameter : plan.stored()) {
            expected.put(parameter.name(), parameter.shape());
            HostTensor found = adapter.parameters().get(parameter.name());
            if (found == null) {
                missing.add(parameter.name());
            } else {
                compare(parameter.name(), found.shape(), parameter.shape());
            }
        }
        for (String name : adapter.parameters().keySet()) {
            if (expected.containsKey(name)) {
                continue;
            }
            if (isHeadOfAnotherTask(name)) {
                LOG.warn("the adapter's {} is left out: {} has no such head or pooler", name, spec.architecture());
            } else {
                surplus.add(name);
            }
        }
    }

    private AdapterPlan plan() {
        TaskType type = adapter.config().taskType();
        if (type != null && !type.isServed()) {
            throw new IncompatibleAdapterException("the adapter (" + adapter.type() + ") is for the task type " + type
                    + ", which is not implemented; expected one of " + TaskType.served()
                    + "; use an adapter for one of these");
        }
        try {
            return AdapterMethods.plan(spec, adapter.config());
        } catch (InvalidConfigException e) {
            throw new IncompatibleAdapterException(
                    "the adapter does not fit " + describe() + ": " + e.getMessage()
                            + "; load it with the base model it was trained on",
                    e);
        }
    }

    /** Such as base_model.model.classifier.weight, which PEFT saves with every classifier, on a model without one; or a pooler that nothing reads. */
    private boolean isHeadOfAnotherTask(String name) {
        String inBase = inBase(name);
        return (isUsualHead(name) || POOLER.matcher(inBase).lookingAt())
                && !spec.parameters().containsKey(inBase)
                && spec.sites().stream().noneMatch(site -> inBase.startsWith(site.name() + "."));
    }

    /** Whether a parameter is of a classification head as PEFT calls them, whatever the model has. */
    static boolean isUsualHead(String name) {
        String inBase = inBase(name);
        return SavedModules.USUAL_HEADS.stream().anyMatch(head -> inBase.startsWith(head + "."));
    }

    private static String inBase(String name) {
        return name.replaceFirst("^base_model\\.(model\\.)?", "");
    }

    private void compareCopies(List<ParameterSpec> copies) {
        Map<String, Shape> base = new LinkedHashMap<>();
        spec.parameters().keySet().forEach(name -> base.put(name, spec.shapeInFiles(name)));
        for (Site site : spec.sites(Role.OUTPUT_EMBEDDING)) {
            base.putIfAbsent(site.weightName(), Shape.of(site.out(), site.in()));
        }
        for (ParameterSpec copy : copies) {
            Shape shape = base.get(copy.name());
            if (shape == null && !isHeadOfAnotherTask(copy.name())) {
                surplus.add(copy.name());
            } else if (shape != null) {
                compare(copy.name(), copy.shape(), shape);
            }
        }
    }

    private void compare(String name, Shape found, Shape wanted) {
        if (!found.equals(wanted)) {
            wrong.add(name + " is " + found + " instead of " + wanted);
        }
    }

    private Adapter result(LoadOptions options) {
        boolean tolerable = missing.isEmpty() && wrong.isEmpty() && (surplus.isEmpty() || options.lenient());
        if (!tolerable) {
            throw new IncompatibleAdapterException("the adapter (" + adapter.type() + ") does not fit " + describe()
                    + ": " + differences() + layers() + "; load it with the base model it was trained on");
        }
        if (!surplus.isEmpty()) {
            LOG.warn("parameters of the adapter are left out, since {} has no place for them: {}", describe(), surplus);
        }
        Map<String, HostTensor> parameters = new LinkedHashMap<>();
        expected.keySet()
                .forEach(name -> parameters.put(name, adapter.parameters().get(name)));
        return adapter.with(adapter.config(), parameters);
    }

    private String describe() {
        return "the base model (" + spec.architecture() + ", " + count(spec.layers(), "layer") + ")";
    }

    private String differences() {
        return Stream.of(list("missing", missing), list("surplus", surplus), list("of another shape", wrong))
                .filter(part -> !part.isEmpty())
                .reduce((a, b) -> a + "; " + b)
                .orElse("");
    }

    private static String list(String what, List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
        String more = names.size() <= SHOWN ? "" : " and " + (names.size() - SHOWN) + " more";
        return count(names.size(), "parameter") + " " + what + ": " + shown + more;
    }

    /** Most misfits are a base of another depth: said outright. */
    private String layers() {
        int last = adapter.parameters().keySet().stream()
                .map(LAYER::matcher)
                .filter(Matcher::find)
                .mapToInt(layer -> Integer.parseInt(layer.group(1)))
                .max()
                .orElse(-1);
        if (last < 0 || last + 1 == spec.layers()) {
            return "";
        }
        return "; the adapter is for " + count(last + 1, "layer") + ", the base model has " + spec.layers();
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }
}
