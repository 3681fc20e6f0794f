package io.peftj.core.adapter;

import io.peftj.core.InvalidConfigException;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The methods on the class path, found by {@link ServiceLoader}. */
public final class AdapterMethods {
    private AdapterMethods() {}

    /**
     * The method of a type.
     *
     * @throws InvalidConfigException if there is none; the message lists the known types and what to add
     */
    public static AdapterMethod<?> named(String type) {
        Map<String, AdapterMethod<?>> known = all();
        AdapterMethod<?> method = known.get(type);
        if (method == null) {
            throw new InvalidConfigException(
                    "no adapter method has the type \"" + type + "\"; known are " + known.keySet()
                            + "; add the module that implements it to the class path (io.peftj:peft-methods has the usual ones)");
        }
        return method;
    }

    /** The method that a configuration belongs to. */
    @SuppressWarnings("unchecked") // configClass() says that the method takes C
    public static <C extends AdapterConfig> AdapterMethod<C> of(C config) {
        return (AdapterMethod<C>) all().values().stream()
                .filter(method -> method.configClass().equals(config.getClass()))
                .findFirst()
                .orElseThrow(() -> new InvalidConfigException(
                        "no adapter method takes a " + config.getClass().getSimpleName() + "; known are "
                                + all().keySet() + "; add the module that implements it to the class path"));
    }

    /** Plans a configuration on a model. */
    public static AdapterPlan plan(BackboneSpec spec, AdapterConfig config) {
        return of(config).plan(spec, config);
    }

    /** Fills in what a configuration leaves to the model: what an {@link Adapter} trained on it holds. */
    public static <C extends AdapterConfig> C complete(BackboneSpec spec, C config) {
        return of(config).complete(spec, config);
    }

    /** A newly trained adapter in the form in which it is kept. */
    public static Adapter settle(Adapter adapter, BackboneSpec spec, BaseValues values) {
        return of(adapter.config()).settle(adapter, spec, values);
    }

    private static Map<String, AdapterMethod<?>> all() {
        Map<String, AdapterMethod<?>> known = new TreeMap<>();
        for (AdapterMethod<?> method : ServiceLoader.load(AdapterMethod.class)) {
            known.put(method.type(), method);
        }
        return known;
    }
}
