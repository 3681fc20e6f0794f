package io.peftj.benchmarks.kernels;

import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.Spread;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

/**
 * What a kernel takes.
 *
 * @param kernel the name of its benchmark
 * @param dtype the format computed in
 * @param tokens of all rows
 * @param threads of one operation
 * @param micros microseconds a call
 */
record KernelScore(String kernel, String dtype, int tokens, int threads, Spread micros) {
    /** What JMH measured. */
    static KernelScore of(RunResult result) {
        BenchmarkParams parameters = result.getParams();
        String name = parameters.getBenchmark();
        double[] values = result.getBenchmarkResults().stream()
                .map(BenchmarkResult::getIterationResults)
                .flatMap(iterations -> iterations.stream())
                .map(IterationResult::getPrimaryResult)
                .mapToDouble(primary -> primary.getScore())
                .toArray();
        return new KernelScore(
                name.substring(name.lastIndexOf('.') + 1),
                parameters.getParam("dtype"),
                Integer.parseInt(parameters.getParam("tokens")),
                Integer.parseInt(parameters.getParam("threads")),
                Spread.of(values));
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("kernel", kernel);
        json.addProperty("dtype", dtype);
        json.addProperty("tokens", tokens);
        json.addProperty("threads", threads);
        json.add("us_per_call", micros.json());
        return json;
    }
}
