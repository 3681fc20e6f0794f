package io.peftj.methods.head;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.io.ConfigReader;
import java.util.Set;

/** Training of the task's head alone, in files of this library's own type. */
public final class HeadMethod implements AdapterMethod<HeadConfig> {
    /** Found by the service loader. */
    public HeadMethod() {}

    @Override
    public String type() {
        return "HEAD";
    }

    @Override
    public Class<HeadConfig> configClass() {
        return HeadConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of("modules_to_save", "task_type");
    }

    @Override
    public HeadConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return new HeadConfig(ConfigJson.modulesToSave(reader), ConfigJson.taskType(reader));
    }

    @Override
    public JsonObject write(HeadConfig config) {
        JsonObject json = new JsonObject();
        ConfigJson.addCommon(json, config);
        return json;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, HeadConfig config) {
        return new HeadPlan(spec, config);
    }

    @Override
    public Adapter sum(WeightedAdapters adapters) {
        HeadConfig config = new HeadConfig(adapters.modulesToSave(), adapters.taskType());
        AdapterPlan plan = plan(adapters.spec(), config);
        return adapters.adapter(config, plan, adapters.replaced(plan));
    }
}
