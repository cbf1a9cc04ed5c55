using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.FineTuning;

/// <summary>Which checkpoint <c>eval.checkpoint</c> means.</summary>
public static class CheckpointChoice
{
    /// <summary>The export of the highest step.</summary>
    public const string Latest = "latest";

    /// <summary>The export with the smallest held-out loss, the later of equal ones; losses that are no numbers do not count.</summary>
    public const string SmallestLoss = "smallest-loss";

    /// <summary>Name of the calibration file beside a model.</summary>
    public const string CalibrationFile = Ranges.Calibration.FileName;

    /// <summary>Finds a checkpoint.</summary>
    /// <param name="runFolder">Folder of the pre-training run, for the two words.</param>
    /// <param name="checkpoint">One of the two words, a model folder, or a safetensors file.</param>
    /// <param name="archOfFile">Shape of a model without a configuration file; null: not known.</param>
    /// <param name="heldOutLoss">Held-out loss after a step of the run, null where there was no evaluation.</param>
    /// <exception cref="RefusedException">There is none, or its shape is not known; says what was looked for and what to do.</exception>
    public static ModelSource Find(string runFolder, string checkpoint, BertConfig? archOfFile, Func<long, double?> heldOutLoss) => checkpoint switch
    {
        Latest => OfFolder(CheckpointFolder.Latest(runFolder) ?? throw NoExport(runFolder), archOfFile),
        SmallestLoss => OfFolder(Smallest(runFolder, heldOutLoss), archOfFile),
        _ when Directory.Exists(checkpoint) => OfFolder(checkpoint, archOfFile),
        _ when File.Exists(checkpoint) => OfFile(checkpoint, archOfFile),
        _ => throw new RefusedException($"eval.checkpoint={checkpoint}: expected {Latest}, {SmallestLoss}, a model folder or a safetensors file; there is no such file or folder."),
    };

    private static RefusedException NoExport(string runFolder) => new(
        $"{runFolder} has no exported model under checkpoints: pre-train it first (actortrainer pretrain name=…), or name a model with eval.checkpoint=FOLDER.");

    private static string Smallest(string runFolder, Func<long, double?> heldOutLoss)
    {
        var exports = CheckpointFolder.All(runFolder);
        if (exports.Count == 0)
        {
            throw NoExport(runFolder);
        }

        var scored = exports.Select(export => (export.Path, Loss: heldOutLoss(export.Step))).Where(export => export.Loss is { } loss && double.IsFinite(loss)).ToList();
        return scored.Count > 0
            ? scored.AsEnumerable().Reverse().MinBy(export => export.Loss).Path
            : throw new RefusedException(
                $"eval.checkpoint={SmallestLoss}: none of the {exports.Count} exported models of {runFolder} was evaluated at its step; "
                + $"use eval.checkpoint={Latest}, or pre-train with train.evaluate_every a divisor of train.export_every.");
    }

    private static ModelSource OfFolder(string folder, BertConfig? archOfFile)
    {
        var weights = Path.Combine(folder, CheckpointFolder.ModelFile);
        return File.Exists(weights) ? OfFile(weights, archOfFile) with { Name = folder }
            : throw new RefusedException($"{folder} is no model folder: it has no {CheckpointFolder.ModelFile}.");
    }

    private static ModelSource OfFile(string weights, BertConfig? archOfFile)
    {
        var config = Beside(CheckpointFolder.ConfigFile);
        var arch = config is not null ? ModelConfigFile.Load(config)
            : archOfFile ?? throw new RefusedException(
                $"{weights} has no {CheckpointFolder.ConfigFile} beside it, so its shape is not known: say it with arch=… (arch=crammed-bert for published crammed BERTs).");
        return new ModelSource(weights, arch, Beside(CheckpointFolder.TokenizerFile), Beside(CalibrationFile), weights);

        string? Beside(string name) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, name) is var path && File.Exists(path) ? path : null;
    }
}
