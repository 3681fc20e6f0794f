/**
 * What every adapter method must pass, on every backbone.
 *
 * <p>{@link io.peftj.testkit.contract.AdapterMethodContract} holds the tests: extend it, name the configurations to test and the {@link
 * io.peftj.testkit.contract.ContractModel models} to test them on. {@link io.peftj.testkit.contract.RandomTensors} gives a model of any architecture
 * its weights, so that no file is needed.
 */
package io.peftj.testkit.contract;
