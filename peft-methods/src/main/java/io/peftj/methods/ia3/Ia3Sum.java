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
        Ia3Plan plan = new Ia3Plan(adapters.spec(), config);
        Map<String, HostTensor> values = new LinkedHashMap<>(adapters.replaced(plan));
        plan.scales().forEach(parameter -> values.put(parameter.name(), adapters.sum(parameter, 1)));
        return adapters.of(config, plan, values);
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
