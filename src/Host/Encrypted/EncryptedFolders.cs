using System.Security.Cryptography;
using System.Text.Json;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Where encrypted fine-tuning keeps its files.</summary>
internal static class EncryptedFolders
{
    /// <summary>The owner's keys.</summary>
    public static string Keys(RunConfiguration run) => run.He.Keys.Length > 0 ? run.He.Keys : Path.Combine(run.RunFolder, "keys");

    /// <summary>Plan of a task's program: see <see cref="EncryptedProgram.Plan"/>.</summary>
    public static string Plan(RunConfiguration run, GlueTaskInfo task) => Path.Combine(Keys(run), "plans", $"{task.Name}.json");

    /// <summary>Encrypted data: <c>TASK/SPLIT</c>.</summary>
    public static string Data(RunConfiguration run) => run.He.Data.Length > 0 ? run.He.Data : Path.Combine(run.RunFolder, "encrypted");

    /// <summary>What the stages of a task's run begin with: see <see cref="PublishedRun"/>. Its name follows from the keys, the model's embedding, and all that initial weights follow from.</summary>
    public static string Published(EncryptedJob job, string keySha256, string embeddingSha256)
    {
        var from = JsonSerializer.SerializeToUtf8Bytes(new { keySha256, embeddingSha256, Seed = EncryptedTraining.Seed(job), job.Arch, job.Shape, job.Packing });
        return Path.Combine(Data(job.Run), job.Task.Name, "run", Convert.ToHexStringLower(SHA256.HashData(from).AsSpan(..8)));
    }

    /// <summary>What only the owner may know of the data: labels, and which row stands where.</summary>
    public static string Examples(RunConfiguration run) => Path.Combine(Keys(run), "examples");

    /// <summary>The encrypted run of a task.</summary>
    public static string Training(RunConfiguration run, GlueTaskInfo task) => Path.Combine(run.RunFolder, "finetune-encrypted", task.Name);

    /// <summary>A task's model in the clear again.</summary>
    public static string Decrypted(RunConfiguration run, GlueTaskInfo task) => Path.Combine(run.RunFolder, "decrypted", task.Name);

    /// <summary>The encrypted model that <c>model=</c> names, or the latest of a task's run.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public static string Model(CommandContext context, GlueTaskInfo task) => context.Option("model") ?? CheckpointFolder.Latest(Training(context.Run, task))
        ?? throw new RefusedException($"{Training(context.Run, task)} has no encrypted model: train one with finetune-encrypted, or name its folder with model=FOLDER.");

    /// <summary>Exported data: <c>TASK/SPLIT</c>.</summary>
    public static string Export(RunConfiguration run) => Path.Combine(run.RunFolder, "export");
}
