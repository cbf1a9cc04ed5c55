using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>One training step of a whole model run on paper at once, to hold plans of units against.</summary>
internal sealed record WholePlan
{
    /// <summary>Levels at which the owner encrypts, so that nothing has to be refreshed before its first use.</summary>
    public required EncryptionLevels Levels { get; init; }

    /// <summary>What one step takes, evaluations included: they do nothing that training does not.</summary>
    public required Plan Step { get; init; }

    /// <summary>Ciphertexts refreshed in a step, by site and level.</summary>
    public required IReadOnlyDictionary<(string Site, int Level), long> Refreshes { get; init; }

    /// <summary>Where refreshed values have to lie, for those sites of <see cref="Refreshes"/> on whose values functions are evaluated.</summary>
    public required IReadOnlyList<SiteRange> Ranges { get; init; }

    /// <summary>All sites of requests to the owner.</summary>
    public IReadOnlySet<string> Sites => new HashSet<string>(Refreshes.Keys.Select(key => key.Site)) { EncryptedStage.OutputSite("head") };

    /// <summary>Runs a step of a model on paper.</summary>
    /// <param name="build">Makes the model; called twice.</param>
    /// <param name="microBatches">Of the step.</param>
    /// <param name="costs">Measured costs, for the prediction of time.</param>
    public static WholePlan Of(CkksParameters parameters, Packing packing, Func<EncryptedModel> build, int outputs, int microBatches = 1, OperationCosts? costs = null)
    {
        var levels = new EncryptionLevels[1];
        IReadOnlyList<SiteRange> ranges = [];
        new Planner(parameters).Run((evaluator, backend) =>
        {
            var probe = new LevelProbe(new ClearRefresher(backend));
            levels[0] = Run(evaluator, backend, probe, packing, build, outputs, 1, new EncryptionLevels(0, 0, 0), batch => Watch(probe, batch), model => ranges = [.. model.Ranges]);
            return [];
        });
        IReadOnlyDictionary<(string, int), long>? refreshes = null;
        var plan = new Planner(parameters, costs).Run((evaluator, backend) =>
        {
            var refresher = new ClearRefresher(backend);
            Run(evaluator, backend, refresher, packing, build, outputs, microBatches, levels[0], _ => null, _ => { });
            refreshes = refresher.Ledger.Counts;
            return [];
        });
        var refreshed = refreshes!.Keys.Select(key => key.Item1).ToHashSet();
        return new WholePlan
        {
            Levels = levels[0],
            Step = plan,
            Refreshes = refreshes!,
            Ranges = [.. ranges.Where(range => refreshed.Contains(range.Site))],
        };
    }

    private static Func<EncryptionLevels> Watch(LevelProbe probe, EncryptedBatch batch)
    {
        var (inputs, masks, targets) = (probe.Watch(batch.Input.Parts), probe.Watch(batch.Mask), probe.Watch(batch.Targets));
        return () => new EncryptionLevels(inputs(), masks(), targets());
    }

    private static EncryptionLevels Run(
        Evaluator evaluator, PlanBackend backend, IRefresher refresher, Packing packing, Func<EncryptedModel> build, int outputs, int microBatches, EncryptionLevels levels,
        Func<EncryptedBatch, Func<EncryptionLevels>?> watch, Action<EncryptedModel> show)
    {
        using var model = build();
        show(model);
        foreach (var unit in model.Units)
        {
            unit.Load(0, [.. Enumerable.Range(0, unit.Layout.Packs).Select(_ => new AdamWPack(backend.Encrypt(1), backend.Encrypt(1), backend.Encrypt(1)))]);
        }

        Func<EncryptionLevels>? found = null;
        model.Step(new TensorMath(evaluator, refresher, packing), Batches(), 1, 1);
        return found?.Invoke() ?? levels;

        IEnumerable<EncryptedBatch> Batches()
        {
            for (var i = 0; i < microBatches; i++)
            {
                Ciphertext[] Made(int count, int level) => [.. Enumerable.Range(0, count).Select(_ => backend.Encrypt(level))];
                using var batch = new EncryptedBatch(
                    new Activation(packing.Hidden, Made(packing.Hidden.Ciphertexts, levels.Inputs)), Made(SlotMaps.ShiftGroups(packing), levels.Masks), Made(outputs, levels.Targets));
                found ??= watch(batch);
                yield return batch;
            }
        }
    }
}
