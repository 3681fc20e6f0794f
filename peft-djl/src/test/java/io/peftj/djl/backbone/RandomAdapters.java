package io.peftj.djl.backbone;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Adapters with random values, and what they make of a row. */
final class RandomAdapters {
    private RandomAdapters() {}

    static <C extends AdapterConfig> Adapter random(Backbone base, C config) {
        C complete = AdapterMethods.complete(base.spec(), config);
        AdapterPlan plan = AdapterMethods.plan(base.spec(), complete);
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.stored()) {
            long key = CounterRandom.key(3, parameter.name());
            values.put(parameter.name(), CounterRandom.of(key).normal(parameter.shape(), 0.5));
        }
        String type = AdapterMethods.of(complete).type();
        return new Adapter(type, complete, values, TaskData.NONE, null, new JsonObject());
    }

    static double[] logits(Backbone base, @Nullable ResidentAdapter adapter) {
        return base.call("logits", session -> {
            Stack stack = adapter == null ? Stack.BASE : Stack.of(adapter.in(session));
            Batch batch = Batch.of(session, base.spec(), List.of(Row.of(stack, 0, 3, 14, 15, 9, 2, 6)));
            Run run = new Run(session, batch, null);
            return base.outputs()
                    .logits(run, base.transformer().hiddenStates(run), batch.tokens())
                    .toDoubles();
        });
    }
}
