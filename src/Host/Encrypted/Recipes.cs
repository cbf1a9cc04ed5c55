using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The settings of encrypted stages from those of a run: one maker for runs and plans, so that what is planned is what is run.</summary>
internal static class Recipes
{
    /// <param name="arch">Shape of the base model, made or trained.</param>
    /// <exception cref="RefusedException">Encrypted fine-tuning does not do that; names the key, the value and what to do.</exception>
    public static EncryptedRecipe Of(RunConfiguration run, BertConfig arch, FineTuneShape shape, PackingShape packing, Calibration calibration) => new EncryptedRecipe
    {
        Arch = arch,
        Shape = shape,
        Optim = run.Eval.Optim,
        Set = run.He.Set,
        AllowInsecure = run.He.AllowInsecure,
        Tokens = packing.Tokens,
        Batch = packing.Batch,
        Calibration = calibration.ToJson(),
        Threads = run.He.ThreadCount(),
        CacheMiB = run.He.Cache,
        KeyBytes = run.He.KeyBytes(),
        Owner = run.He.Owner,
        Helpers = run.He.Helpers,
        Refresh = run.He.Refresh,
        Twice = run.He.Twice,
    }.Validate();
}
