using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The first steps of an encrypted run on the cleartext twin, from the owner's exported rows.</summary>
internal static class TwinSteps
{
    /// <summary>How many times as large as on the twin values may get before a bootstrapping loses them: they drift while weights are trained.</summary>
    private const double Headroom = 8;

    /// <summary>Trains; the caller disposes the result.</summary>
    /// <param name="inputs">What the owner brings.</param>
    /// <param name="trained">The encrypted run.</param>
    /// <param name="examples">What the owner keeps of its rows.</param>
    /// <param name="steps">Of the run's.</param>
    public static TwinTraining Run(EncryptedInputs inputs, TrainedModel trained, OwnerExamples examples, int steps)
    {
        var (job, program, train) = (inputs.Job, inputs.Program, trained.Options.Train);
        using var source = ExportReader.Open(DataExport.FolderOf(EncryptedFolders.Export(job.Run), job.Task.Name, GlueTaskInfo.Train));
        var twin = new TwinTraining(job.Parameters, program.Units, program.NewModel, unit => EncryptedObjects.Initial(program.Recipe, unit, trained.Options.Seed), program.Refreshing);
        for (var step = 0; step < steps; step++)
        {
            var numbers = Enumerable.Range(0, train.BatchSize / program.Recipe.Batch)
                .SelectMany(m => OwnerRows.At(examples, trained.Order, ((long)step * train.BatchSize) + (m * program.Recipe.Batch)));
            twin.Step([.. numbers.Select(row => TwinRow.Of(source, row))], source.Manifest.Sequence, program.Recipe.Shape.Outputs, job.Task.IsRegression, LearningRate.At(train, step / train.Budget));
        }

        return twin;
    }

    /// <summary>How large values get at each refresh, for a run that bootstraps: from its first step.</summary>
    /// <inheritdoc cref="Run"/>
    public static IReadOnlyDictionary<string, double> Bounds(EncryptedInputs inputs, TrainedModel trained, OwnerExamples examples)
    {
        using var twin = Run(inputs, trained, examples, 1);
        return twin.Bounds(Headroom);
    }
}
