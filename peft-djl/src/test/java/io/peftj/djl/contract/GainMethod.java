package io.peftj.djl.contract;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import java.util.List;
import java.util.Set;

/** The guide's method, as an application would add one of its own: found by its line in META-INF/services. */
public final class GainMethod implements AdapterMethod<GainConfig> {
    /** Found by the service loader. */
    public GainMethod() {}

    @Override
    public String type() {
        return "GAIN";
    }

    @Override
    public Class<GainConfig> configClass() {
        return GainConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of("roles", "modules_to_save", "task_type");
    }

    @Override
    public GainConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        List<Role> roles = reader.strings("roles").stream().map(Role::valueOf).toList();
        return new GainConfig(roles, ConfigJson.modulesToSave(reader), ConfigJson.taskType(reader));
    }

    @Override
    public JsonObject write(GainConfig config) {
        JsonObject json = new JsonObject();
        json.add(
                "roles", ConfigJson.json(config.roles().stream().map(Role::name).toList()));
        ConfigJson.addCommon(json, config);
        return json;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, GainConfig config) {
        return new GainPlan(spec, config);
    }
}
