package io.peftj.core.adapter;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parameters of the base that a method trains and saves whole: the task's head, modules_to_save, biases. Shared by all methods.
 *
 * @param parameters base parameters by stored name, with their names in the base
 * @param transposed names in the base of those that files hold as [in, out]
 */
public record SavedModules(Map<ParameterSpec, String> parameters, Set<String> transposed) {
    private static final Logger LOG = LoggerFactory.getLogger(SavedModules.class);
    /** What PEFT lists by default for classification, whatever the model calls its head. */
    static final List<String> USUAL_HEADS = List.of("classifier", "score");

    /** Keeps a copy in order. */
    public SavedModules {
        parameters = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        transposed = Set.copyOf(transposed);
    }

    /** Parameters that files hold as the base has them. */
    public SavedModules(Map<ParameterSpec, String> parameters) {
        this(parameters, Set.of());
    }

    /**
     * The head where the task trains one, and what modules_to_save lists.
     *
     * @param prefix what stored names begin with, before the name in the base
     * @throws InvalidConfigException if an entry of modules_to_save matches no module
     */
    public static SavedModules of(BackboneSpec spec, AdapterConfig config, String prefix) {
        return of(spec, config.modulesToSave(), trainsHead(config), prefix);
    }

    /**
     * What modules_to_save lists: of methods whose files say there whether they hold the task's head.
     *
     * @param prefix what stored names begin with, before the name in the base
     * @throws InvalidConfigException if an entry of modules_to_save matches no module
     */
    public static SavedModules listed(BackboneSpec spec, AdapterConfig config, String prefix) {
        return of(spec, config.modulesToSave(), false, prefix);
    }

    /** The modules to save of a new adapter of such a method: those of its configuration, and the head that its task trains. */
    public static List<String> withHead(BackboneSpec spec, AdapterConfig config) {
        HeadSpec head = spec.head();
        List<String> modules = config.modulesToSave();
        if (head == null || !trainsHead(config) || modules.contains(head.name())) {
            return modules;
        }
        List<String> all = new ArrayList<>(modules);
        all.add(head.name());
        return all;
    }

    private static SavedModules of(BackboneSpec spec, List<String> modulesToSave, boolean trainsHead, String prefix) {
        Map<ParameterSpec, String> found = new LinkedHashMap<>();
        Set<String> transposed = new HashSet<>();
        HeadSpec head = spec.head();
        Map<String, Shape> base = new LinkedHashMap<>(spec.parameters());
        // A tied output embedding has no parameter of its own, but can be trained as one.
        for (Site site : spec.sites(Role.OUTPUT_EMBEDDING)) {
            base.putIfAbsent(site.weightName(), Shape.of(site.out(), site.in()));
        }
        for (String entry : modulesToSave) {
            if (base.keySet().stream().noneMatch(name -> Targets.isInside(module(name), entry))) {
                boolean unusedPooler = entry.equals("pooler") && !spec.decoder();
                if (!USUAL_HEADS.contains(entry) && !unusedPooler) {
                    throw new InvalidConfigException("modules_to_save names \"" + entry
                            + "\", which matches no module with parameters; there are "
                            + base.keySet().stream()
                                    .map(SavedModules::module)
                                    .distinct()
                                    .toList());
                }
                LOG.debug("modules_to_save names \"{}\", which this model does not have", entry);
            }
        }
        base.forEach((name, shape) -> {
            boolean listed = modulesToSave.stream().anyMatch(entry -> Targets.isInside(module(name), entry));
            boolean ofHead = trainsHead && head != null && head.has(name);
            if (listed || ofHead) {
                boolean turned = spec.isTransposedInFiles(name);
                found.put(new ParameterSpec(prefix + name, turned ? turned(shape) : shape), name);
                if (turned) {
                    transposed.add(name);
                }
            }
        });
        return new SavedModules(found, transposed);
    }

    /** All parameters of the model, as its files hold them. */
    public static SavedModules everything(BackboneSpec spec, String prefix) {
        Map<ParameterSpec, String> found = new LinkedHashMap<>();
        Set<String> names = spec.parameters().keySet();
        names.forEach(name -> found.put(new ParameterSpec(prefix + name, spec.shapeInFiles(name)), name));
        return new SavedModules(
                found, names.stream().filter(spec::isTransposedInFiles).collect(Collectors.toSet()));
    }

    /** These and the parameters of another. */
    public SavedModules and(SavedModules other) {
        Map<ParameterSpec, String> all = new LinkedHashMap<>(parameters);
        other.parameters.forEach((spec, name) -> {
            if (!all.containsValue(name)) {
                all.put(spec, name);
            }
        });
        Set<String> turned = new HashSet<>(transposed);
        turned.addAll(other.transposed);
        return new SavedModules(all, turned);
    }

    /** The stored parameters. */
    public List<ParameterSpec> stored() {
        return List.copyOf(parameters.keySet());
    }

    /** Each replaces its base parameter; effective names are the stored ones. */
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        parameters.forEach((spec, name) -> all.add(new Substitute(name, spec.name(), transposed.contains(name))));
        return all;
    }

    /** The base's own values; for a head that the base lacks, PyTorch's Linear's: uniform within ±1/√in. */
    public Map<String, HostTensor> initialise(BackboneSpec spec, InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        HeadSpec head = spec.head();
        parameters.forEach((parameter, name) -> {
            if (context.hasBase(name)) {
                HostTensor base = context.base(name);
                values.put(parameter.name(), transposed.contains(name) ? base.transposed() : base);
            } else if (head != null && head.has(name)) {
                CounterRandom random = context.random(parameter.name());
                values.put(parameter.name(), random.uniform(parameter.shape(), 1 / Math.sqrt(head.in())));
            } else {
                throw new InvalidConfigException(
                        "the base model has no values for " + name + ", which " + parameter.name() + " starts from");
            }
        });
        return values;
    }

    /** Whether the task has a head of its own, which is trained and saved whole. */
    static boolean trainsHead(AdapterConfig config) {
        return config.taskType() == TaskType.SEQ_CLS || config.taskType() == TaskType.FEATURE_EXTRACTION;
    }

    private static Shape turned(Shape shape) {
        return Shape.of(shape.dim(1), shape.dim(0));
    }

    private static String module(String parameter) {
        int dot = parameter.lastIndexOf('.');
        return dot < 0 ? parameter : parameter.substring(0, dot);
    }
}
