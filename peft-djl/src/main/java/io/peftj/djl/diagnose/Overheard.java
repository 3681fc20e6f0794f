package io.peftj.djl.diagnose;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Kernels.Prefix;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/** What a backend's attention was given and what it gave, call by call: one a layer, since a forward pass calls it once in each. */
final class Overheard {
    private final List<Attention> attentions = new ArrayList<>();

    /**
     * A call's values.
     *
     * @param q [tokens, heads, head dim]
     * @param k [tokens, kv heads, head dim]
     * @param v like k
     * @param prefixKeys [length, kv heads, head dim]; empty for no prefix
     * @param prefixValues likewise
     * @param out like q
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Attention(
            double[] q,
            double[] k,
            double[] v,
            double[] prefixKeys,
            double[] prefixValues,
            double[] out,
            boolean causal,
            double scale) {}

    /** The calls so far. */
    List<Attention> attentions() {
        return attentions;
    }

    /** A backend that does what another does, and is overheard. */
    Backend on(Backend backend) {
        Kernels kernels = proxy(Kernels.class, (method, arguments) -> {
            Object result = invoke(backend.kernels(), method, arguments);
            if (method.getName().equals("attention")) {
                note(backend.kernels(), arguments, (Buffer[]) result);
            }
            return result;
        });
        return proxy(
                Backend.class,
                (method, arguments) ->
                        method.getName().equals("kernels") ? kernels : invoke(backend, method, arguments));
    }

    /** The arguments of {@link Kernels#attention}. */
    private void note(Kernels kernels, Object[] arguments, Buffer[] result) {
        List<?> prefixes = (List<?>) arguments[6];
        if (prefixes.size() > 1) {
            throw new IllegalStateException("expected rows with one prefix, found " + prefixes.size());
        }
        Prefix prefix = prefixes.isEmpty() ? null : (Prefix) prefixes.get(0);
        attentions.add(new Attention(
                kernels.read((Buffer) arguments[0]),
                kernels.read((Buffer) arguments[1]),
                kernels.read((Buffer) arguments[2]),
                prefix == null ? new double[0] : kernels.read(prefix.keys()),
                prefix == null ? new double[0] : kernels.read(prefix.values()),
                kernels.read(result[0]),
                (Boolean) arguments[4],
                (Double) arguments[5]));
    }

    private interface Call {
        Object of(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> call.of(method, arguments)));
    }

    private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
