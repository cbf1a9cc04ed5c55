using System.Numerics;
using ActorTrainer.Bench;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Tests.He.Refresh;
using Xunit;

namespace ActorTrainer.Tests.He.Layers;

public sealed class EncryptedLayerTests
{
    [Fact]
    public void Encrypted_outputs_and_gradients_are_those_of_the_twin_with_just_the_keys_and_refreshes_of_the_plan()
    {
        var made = new MadeLayer(new Packing(1024, 8, 2, 2, 8), 48);
        using var context = new CkksContext(new CkksParameters(ParameterSets.ToyL15), 2);
        var parameters = context.Parameters;
        var top = parameters.MaxLevel;
        var (twin, plan) = (new TwinBackend(parameters), new PlanBackend(parameters));
        var (expected, twinRefreshes, _) = InTheClear(made, twin, slots => twin.Encrypt(new PlainVector(slots), top));
        var (_, planned, ledger) = InTheClear(made, plan, _ => plan.Encrypt(top));
        using var generator = new KeyGenerator(context, HeFixture.FixedSeed(1), allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, ledger.Keys);
        using var encryptor = new Encryptor(context, HeFixture.FixedSeed(2));
        var (encoder, decryptor) = (new Encoder(context), new Decryptor(context, secret));
        var refresher = new OwnerRefresher(context, secret, encryptor);
        var evaluator = new Evaluator(new CkksBackend(context, keys));

        var results = made.Run(new TensorMath(evaluator, refresher, made.Packing), slots =>
        {
            using var message = encoder.Encode(slots, top, parameters.ScaleAt(top));
            return encryptor.Encrypt(message, secret);
        });

        Assert.Equal(ledger.Counts, evaluator.Ledger.Counts);
        Assert.Equal(ledger.Keys, evaluator.Ledger.Keys);
        Assert.Equal((twinRefreshes, planned), (refresher.Refreshed, twinRefreshes));
        foreach (var (result, values) in results.Zip(expected))
        {
            var found = decryptor.Slots(result.Value);
            var error = Math.Sqrt(found.Zip(values, (a, b) => (a - b).Magnitude).Sum(e => e * e) / values.Sum(v => v.Magnitude * v.Magnitude));
            Assert.True(error < 1e-3, $"relative error of {result.Kind} {error:E2}");
        }
    }

    private static (Complex[][] Values, long Refreshes, Ledger Ledger) InTheClear(MadeLayer made, IBackend backend, Func<double[], Ciphertext> encrypt)
    {
        var (evaluator, refresher) = (new Evaluator(backend), new ClearRefresher(backend));
        var results = made.Run(new TensorMath(evaluator, refresher, made.Packing), encrypt);
        // Names of all layers' refreshes go into one table.
        Assert.All(refresher.Ledger.Counts.Keys, key => Assert.StartsWith("layer.", key.Site));
        return ([.. results.Select(r => backend is TwinBackend ? TwinBackend.Values(r.Value).ToArray() : [])], refresher.Ledger.Total, evaluator.Ledger);
    }
}
