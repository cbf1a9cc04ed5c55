using ActorTrainer.Actors.Schedules;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The end of <c>dev</c>: keys, a little encrypted data, a few encrypted steps at 128 bits of security, decryption, and a table beside training in the clear.</summary>
/// <param name="keygen">Makes keys.</param>
/// <param name="encrypt">Encrypts.</param>
internal sealed class EncryptedDemo(KeyGenCommand keygen, EncryptCommand encrypt)
{
    private const int Tokens = 16;
    private const int Steps = 3;
    private const int Rows = 64;

    /// <summary>Runs it on the first task that was fine-tuned in the clear; what is there already stays as it is.</summary>
    public async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var fineTuned = context.Run;
        var task = GlueTasks.Parse(fineTuned.Eval.Tasks[0]);
        if (Directory.Exists(EncryptedFolders.Training(fineTuned, task)))
        {
            context.Out.WriteLine($"{EncryptedFolders.Training(fineTuned, task)}: encrypted training was tried before; remove the folder to see it again.");
            return App.Done;
        }

        if (fineTuned.Arch is not { Attention: AttentionKind.GaussianKernel, Activation: GateActivation.Relu })
        {
            context.Out.WriteLine("encrypted fine-tuning is left out: it takes models with arch.attention=gaussian-kernel and arch.activation=relu, as arch=dev is.");
            return App.Done;
        }

        var clear = CheckpointFolder.Latest(Path.Combine(FineTuneFolders.Of(fineTuned), FineTuneFolders.RunName(task, 1)))!;
        var run = fineTuned with
        {
            He = fineTuned.He with { Tokens = Tokens, Batch = 0 },
            // There is a unit less to cut than there was in the clear.
            Pipeline = fineTuned.Pipeline with { Cut = [], Stages = Math.Min(fineTuned.Pipeline.Stages, fineTuned.Arch.Layers + 1), Chunks = 1, Schedule = ScheduleKind.OneForwardOneBackward },
            Eval = fineTuned.Eval with { Tasks = [task.Name], Calibration = Path.Combine(clear, Calibration.FileName), CheckpointEvery = 1 },
        };
        var batch = PackingChoice.Of(run.He, run.Arch, run.He.Parameters()).Batch;
        run = run with { Eval = run.Eval with { BatchSize = batch } };
        var own = context with { Configuration = context.Configuration! with { Run = run } };
        context.Out.WriteLine($"encrypted fine-tuning of {task.Name}: {Steps} steps of {batch} rows under {run.He.Set}; stages see ciphertexts only");
        var code = await ExportCommand.Run(own, stop).ConfigureAwait(false);
        code = code == App.Done && !Directory.Exists(EncryptedFolders.Keys(run)) ? await keygen.Run(own, stop).ConfigureAwait(false) : code;
        code = code == App.Done ? await encrypt.Run(With("rows", $"{Rows}"), stop).ConfigureAwait(false) : code;
        return code == App.Done
            ? await EncryptedFineTuneCommand.Run(With("steps", $"{Steps}", "--compare"), stop).ConfigureAwait(false)
            : code;

        CommandContext With(string option, string value, params string[] flags) => own with
        {
            Options = flags.Select(flag => (flag, "")).Append((option, value)).ToDictionary(),
        };
    }
}
