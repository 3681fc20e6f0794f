package io.peftj.methods.ia3;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * (IA)3 adapters added up: W⊙l − W is linear in l − 1, so that vectors add up as 1 + Σ wᵢ·(lᵢ − 1). PEFT adds up the vectors themselves, which is the same
 * where weights sum to 1 and all adapters have all targets, and elsewhere adds a multiple of W.
 */
record Ia3Sum(WeightedAdapters adapters) {
    Adapter adapter() {
        Map<Site, Boolean> inputs = new LinkedHashMap<>();
        for (Ia3Config config : adapters.configs(Ia3Config.class)) {
            new Ia3Plan(adapters.spec(), config).inputsScaled().forEach((site, scalesInput) -> {
                Boolean other = inputs.putIfAbsent(site, scalesInput);
                if (other != null && !other.equals(scalesInput)) {
                    throw new InvalidConfigException("the adapters scale \"" + site.name()
                            + "\" in two ways, its input and its output, which one adapter cannot;"
                            + " merge them into the model instead");
                }
            });
        }
        adapters.checkOneWay(inputs.keySet(), "by a vector");
        Ia3Config config = config(inputs);
        if (!new Ia3Plan(adapters.spec(), config).inputsScaled().equals(inputs)) {
            config = config.toBuilder().feedForward(byWholeNames(inputs)).build();
        }
        Ia3Plan plan = new Ia3Plan(adapters.spec(), config);
        Map<String, HostTensor> values = new LinkedHashMap<>(adapters.replaced(plan));
        plan.scales().forEach(parameter -> values.put(parameter.name(), adapters.sumFrom(1, parameter)));
        return adapters.adapter(config, plan, values);
    }

    /** Where an end of a name means another layer too: feedforward_modules need no dot before what they match. */
    private static FeedForward byWholeNames(Map<Site, Boolean> inputs) {
        return FeedForward.matching(inputs.entrySet().stream()
                .filter(Map.Entry::getValue)
                .map(scaled -> scaled.getKey().name().replace(".", "\\."))
                .collect(Collectors.joining("|")));
    }

    private Ia3Config config(Map<Site, Boolean> inputs) {
        List<Site> targets = new ArrayList<>(adapters.spec().sites());
        targets.retainAll(inputs.keySet());
        Ia3Config.Builder settings = Ia3Config.builder()
                .fanInFanOut(targets.stream().anyMatch(Site::fanInFanOut))
                .modulesToSave(adapters.modulesToSave())
                .taskType(adapters.taskType());
        return Ia3Defaults.byName(adapters.spec(), targets, site -> Objects.requireNonNull(inputs.get(site)), settings);
    }
}
