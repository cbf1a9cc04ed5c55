using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The model of a made task as it is computed under encryption, on the cleartext twin.</summary>
internal static class MadeTwin
{
    /// <param name="refresher">Null: one that only lifts.</param>
    public static EncryptedModel Build(MadeTask task, TwinBackend twin, out TensorMath math, IRefresher? refresher = null)
    {
        var recipe = task.Recipe;
        var makers = new EncryptedUnits(recipe, recipe.Packing(twin.Parameters));
        math = new TensorMath(new Evaluator(twin), refresher ?? new ClearRefresher(twin), makers.Packing);
        using var folder = new Bert.TemporaryFolder();
        var units = task.Units.Select(plain =>
        {
            var file = Path.Combine(folder.Path, $"{plain.Name}.safetensors");
            using (var stream = File.Create(file))
            {
                MadeTask.Write(plain, stream);
            }

            var unit = makers.Create(plain.Name, file);
            unit.Load(0, [.. unit.Layout.Pack(MadeTask.Learned(plain)).Select(slots => new AdamWPack(Put(twin, slots), Put(twin, new double[slots.Length]), Put(twin, new double[slots.Length])))]);
            return unit;
        }).ToList();
        return new EncryptedModel([.. units.OfType<EncryptedLayerUnit>()], units.OfType<EncryptedHeadUnit>().Single());
    }

    public static EncryptedBatch Encrypted(MadeTask task, TwinBackend twin, Packing packing, int number) => new(
        TwinModel.Encrypt(twin, packing.Hidden, task.Input(number)),
        TwinModel.OwnerMask(twin, packing, task.Mask()),
        [.. task.Targets(packing, number).Select(slots => Put(twin, slots))]);

    /// <summary>Bounds of a run that bootstraps, from a step.</summary>
    public static IReadOnlyDictionary<string, double> Bounds(MadeTask task, Refreshing refreshing, CkksParameters parameters)
    {
        var twin = new TwinBackend(parameters);
        var probe = new BoundProbe(refreshing.InTheClear(twin));
        using var model = Build(task, twin, out var math, probe);
        using var batch = Encrypted(task, twin, math.Packing, 0);
        model.Step(math, [batch], 1.0 / task.Batch, MadeTask.LearningRate);
        return probe.Bounds(8);
    }

    private static Ciphertext Put(TwinBackend twin, double[] slots) => twin.Encrypt(new PlainVector(slots), twin.Parameters.MaxLevel);
}
