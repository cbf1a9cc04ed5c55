using ActorTrainer.Actors;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Model.Stages;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.FineTuning;

/// <summary>What a fine-tuning run is made of.</summary>
internal static class FineTuneParts
{
    /// <summary>The cut that the configuration asks for. By default the units are spread by number: the head is small and the embedding a look-up.</summary>
    public static StagePartition Partition(RunConfiguration run, FineTuneShape shape, DeviceChoice device)
    {
        var units = UnitFactory.Count(run.Arch);
        var parts = run.Pipeline.Stages * run.Pipeline.Chunks;
        return run.Pipeline.Cut.Count > 0 ? StagePartition.FromCut(run.Pipeline.Cut, units)
            : run.Pipeline.Partition == Actors.PartitionKind.Count || parts == 1 || parts == units ? StagePartition.ByCount(units, parts)
            : StagePartition.ByCost(MeasureUnits(run, shape, device), parts);
    }

    /// <summary>Refuses a cut that is none of the model's units, before anything is placed.</summary>
    /// <exception cref="RefusedException">Says how many units there are.</exception>
    public static void RequireCut(RunConfiguration run)
    {
        if (run.Pipeline.Cut.Count > 0)
        {
            StagePartition.FromCut(run.Pipeline.Cut, UnitFactory.Count(run.Arch));
        }
    }

    /// <summary>Measured seconds of a micro-batch through each unit; see <see cref="UnitCosts.Measure"/>.</summary>
    public static IReadOnlyList<double> MeasureUnits(RunConfiguration run, FineTuneShape shape, DeviceChoice device) =>
        UnitCosts.Measure(run.Arch, RunParts.RowsOf(run), 1, run.Impl.Threads, device.Device, device.BFloat16, shape);

    /// <summary>What the stages do about functions that are no polynomials.</summary>
    /// <param name="run">The run.</param>
    /// <param name="calibration">Polynomials for them; null: exact functions.</param>
    /// <exception cref="RefusedException">The optimiser has no polynomial.</exception>
    public static RangeOptions Ranges(RunConfiguration run, Calibration? calibration)
    {
        if (calibration is not null && !run.Eval.Optim.EpsInsideRoot)
        {
            throw new RefusedException(
                "eval.functions=polynomial replaces the optimiser's root too, which needs eps inside of it: set eval.optim.eps_inside_root=true, as eval=GLUE_lora does.");
        }

        if (calibration?.Sites.Any(site => site.Function == PointFunction.OptimiserInverseRoot) == false)
        {
            throw new RefusedException(
                "The calibration has no ranges of the optimiser: make it by fine-tuning with eval.calibrate_every=10 and eval.optim.eps_inside_root=true.");
        }

        return new RangeOptions { CalibrateEvery = run.Eval.CalibrateEvery, Functions = calibration?.ToJson() ?? "" };
    }

    /// <summary>Number of learned parameters.</summary>
    public static long Trainable(BertConfig arch, FineTuneShape shape)
    {
        var units = FineTunedModel.CreateUnits(arch, shape);
        try
        {
            return units.Sum(unit => unit.Parameters.Sum(parameter => parameter.Value.numel()));
        }
        finally
        {
            units.ForEach(unit => unit.Dispose());
        }
    }

    /// <summary>Inputs of a checkpoint's steps outside of the polynomials' domains; empty without polynomials.</summary>
    public static IReadOnlyDictionary<FunctionSite, OutOfDomain> Outside(CheckpointManifest manifest, IObjectStore store) =>
        UnitRanges.Outside(RecordedRanges.Of(manifest, UnitFactory.Names(manifest.Arch), store));

    /// <summary>Writes the model folder of a checkpoint and returns its path.</summary>
    public static string Export(
        string runFolder, CheckpointManifest manifest, IObjectStore store, FineTuneShape shape, AdapterSaving saving, WordPieceTokenizer tokenizer) =>
        CheckpointFolder.Write(runFolder, manifest.Step, folder =>
        {
            FineTunedModel.Write(folder, manifest.Arch, shape, Files(unit => unit), Files(BaseObjects.Key), saving);
            TokenizerFile.SaveJson(tokenizer, Path.Combine(folder, CheckpointFolder.TokenizerFile));
            RecordedRanges.Save(RecordedRanges.Of(manifest, UnitFactory.Names(manifest.Arch), store), folder);

            Dictionary<string, string> Files(Func<string, string> name) =>
                UnitFactory.Names(manifest.Arch).ToDictionary(unit => unit, unit => store.Verified(manifest.Units[name(unit)]));
        });
}
