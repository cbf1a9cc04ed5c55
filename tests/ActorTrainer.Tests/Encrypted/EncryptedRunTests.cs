using System.Numerics;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Encrypted fine-tuning through coordinator, stages, data plane, journal and checkpoints, refreshed by the data owner, against training in the clear.</summary>
public sealed class EncryptedRunTests
{
    private const int Steps = 2;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task A_run_on_ciphertexts_learns_what_training_in_the_clear_learns(int stages, bool wire)
    {
        using var folder = new Bert.TemporaryFolder();
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var owner = new MadeOwner(task, folder.Path);
        IReadOnlyDictionary<string, string> saved = new Dictionary<string, string>();
        using var run = RunFolder.Open(Path.Combine(folder.Path, "run"));
        var store = new ContentStore(run.Store);

        var observer = new Actors.RecordingObserver();
        var outcome = await new MadeRun(owner, run, stages, Steps) { Wire = wire, Observer = observer }.Execute(states => saved = states);

        Assert.True(outcome is { Kind: OutcomeKind.Completed, Step: Steps }, $"{outcome.Message}: {string.Join("; ", observer.Notices)}");
        var losses = task.Train(Steps, microBatches: 1);
        foreach (var plain in task.Units)
        {
            var found = owner.Decrypt(plain.Name, store.Verified(saved[plain.Name]));
            foreach (var (name, expected) in MadeTask.Learned(plain))
            {
                var (error, size) = (Distance(expected, found[name]), Distance(expected, new double[expected.Length]));
                Assert.True(error <= 1e-3 * size, $"{plain.Name} {name}: relative error {error / size:E2}.");
            }
        }

        var guard = new RangeGuard(owner.Plan.Ranges, new RealTokens(owner.Packing, owner.Plan.Ranges, _ => task.Lengths).Slots);
        foreach (var (key, slots) in owner.Seen)
        {
            guard.Observed(key, 0, [.. slots.Select(slot => new Complex(slot, 0))]);
        }

        Assert.Empty(guard.Warnings);
        Assert.Equal(Steps, losses.Count);
        Assert.Equal(Steps, owner.Seen.Keys.Max(key => key.Step));
        Assert.Equal(Steps * owner.Plan.Refreshes.Values.Sum(), owner.Seen.Keys.Count(key => key.Phase == Phase.Train));
        Assert.Equal(task.Shape.Outputs, owner.Seen.Keys.Count(key => key.Phase == Phase.Evaluate && key.Site == EncryptedStage.OutputSite("head")));
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.Item1 - pair.Item2, 2)));
}
