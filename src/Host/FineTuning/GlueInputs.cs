using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Encoded splits of tasks.</summary>
/// <param name="run">Settings.</param>
/// <param name="progress">Told of subsets and odd counts.</param>
internal sealed class GlueInputs(RunConfiguration run, PhaseProgress progress)
{
    private readonly string _path = run.Eval.Path.Length > 0 ? run.Eval.Path : SampleGlue.Ensure(run.Data.Cache);

    /// <summary>One split.</summary>
    /// <param name="rows">Most rows, the first ones; 0: all.</param>
    public EncodedSplit Split(GlueTaskInfo task, string split, ITokenizer tokenizer, int sequence, int rows = 0)
    {
        var read = GlueReader.Read(_path, task, split, run.Eval.Path.Length > 0 ? progress.Done : _ => { });
        if (rows > 0 && rows < read.Examples.Count)
        {
            progress.Done($"{task.Name} {split}: the first {rows:N0} of {read.Examples.Count:N0} rows are used (eval.train_rows)");
            read = new GlueSplit(task, split, [.. read.Examples.Take(rows)], read.Source);
        }

        return EncodedSplit.Encode(read, tokenizer, sequence);
    }

    /// <summary>The training split, at most eval.train_rows of it.</summary>
    public EncodedSplit Train(GlueTaskInfo task, ITokenizer tokenizer, int sequence) =>
        Split(task, GlueTaskInfo.Train, tokenizer, sequence, run.Eval.TrainRows);

    /// <summary>The labelled splits that scores are taken on.</summary>
    public IReadOnlyList<EncodedSplit> Evaluation(GlueTaskInfo task, ITokenizer tokenizer, int sequence) =>
        [.. task.EvaluationSplits.Select(split => Split(task, split, tokenizer, sequence))];
}
