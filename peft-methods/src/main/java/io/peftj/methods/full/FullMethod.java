package io.peftj.methods.full;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.WeightedAdapters;
import java.util.Set;

/** Full fine-tuning, in files of this library's own type: an adapter as large as its base. */
public final class FullMethod implements AdapterMethod<FullConfig> {
    /** Found by the service loader. */
    public FullMethod() {}

    @Override
    public String type() {
        return "FULL";
    }

    @Override
    public Class<FullConfig> configClass() {
        return FullConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of("modules_to_save", "task_type");
    }

    @Override
    public FullConfig read(JsonObject json) {
        return new FullConfig(ConfigJson.taskType(ConfigJson.reader(json)));
    }

    @Override
    public JsonObject write(FullConfig config) {
        JsonObject json = new JsonObject();
        ConfigJson.addCommon(json, config);
        return json;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, FullConfig config) {
        return new FullPlan(spec);
    }

    @Override
    public Adapter sum(WeightedAdapters adapters) {
        FullConfig config = new FullConfig(adapters.taskType());
        AdapterPlan plan = plan(adapters.spec(), config);
        return adapters.adapter(config, plan, adapters.replaced(plan));
    }
}
