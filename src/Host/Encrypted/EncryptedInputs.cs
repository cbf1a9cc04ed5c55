using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary>What the owner brings to an encrypted run, checked before anything is computed: keys, program, and data of one model, parameter set and packing.</summary>
internal sealed class EncryptedInputs : IDisposable
{
    private EncryptedInputs(EncryptedJob job, OwnerKeys keys, EncryptedProgram program, string embeddingHash) =>
        (Job, Keys, Program, EmbeddingHash) = (job, keys, program, embeddingHash);

    public EncryptedJob Job { get; }

    public OwnerKeys Keys { get; }

    public EncryptedProgram Program { get; }

    public string EmbeddingHash { get; }

    /// <summary>Opens keys and makes the program.</summary>
    /// <exception cref="RefusedException">They are of another model, set or packing, or the keys are not those that the program uses.</exception>
    public static EncryptedInputs Open(EncryptedJob job)
    {
        var hash = job.Model.EmbeddingHash();
        var keys = OpenKeys(job, hash);
        EncryptedProgram? program = null;
        try
        {
            program = EncryptedProgram.Of(job);
            RequireKeys(keys, program.Plan);
            return new EncryptedInputs(job, keys, program, hash);
        }
        catch
        {
            program?.Dispose();
            keys.Dispose();
            throw;
        }
    }

    /// <summary>Opens the owner's keys of a job.</summary>
    /// <param name="embeddingHash">Of the job's model.</param>
    /// <param name="threads">Threads that one operation of their context may use.</param>
    /// <exception cref="RefusedException">They are of another model, set or packing.</exception>
    public static OwnerKeys OpenKeys(EncryptedJob job, string embeddingHash, int threads = 1)
    {
        var keys = OwnerKeys.Open(EncryptedFolders.Keys(job.Run), job.Run.He.AllowInsecure, threads);
        try
        {
            if (!keys.Parameters.Fingerprint.Span.SequenceEqual(job.Parameters.Fingerprint.Span))
            {
                throw new RefusedException($"{keys.Folder}: expected keys of {job.Parameters.Name} (he.set), found keys of {keys.Parameters.Name}. Set he.set={keys.Parameters.Name}, or name other keys with he.keys=….");
            }

            keys.Require(embeddingHash, job.Packing);
            return keys;
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    /// <summary>Opens an encrypted split.</summary>
    /// <exception cref="RefusedException">It is damaged, or of another key, model, task or packing, or encrypted for another program.</exception>
    public EncryptedDataset Data(string split)
    {
        var data = EncryptedDataset.Open(EncryptedDataset.FolderOf(EncryptedFolders.Data(Job.Run), Job.Task.Name, split), Keys.Context);
        data.Require(Keys.Manifest.KeySha256, EmbeddingHash, Job.Task.Name, Job.Packing);
        var (has, needs) = (data.Manifest.Levels, Program.Plan.Levels);
        return has.Inputs >= needs.Inputs && has.Masks >= needs.Masks && has.Targets >= needs.Targets
            ? data
            : throw new RefusedException($"{split} of {Job.Task.Name} was encrypted at {has}, the program needs {needs}: another calibration or version made it. Delete the folder and encrypt again.");
    }

    /// <summary>What the owner keeps of a split.</summary>
    public OwnerExamples Examples(string split) => OwnerExamples.Load(OwnerExamples.FileOf(EncryptedFolders.Examples(Job.Run), Job.Task.Name, split));

    public void Dispose()
    {
        Program.Dispose();
        Keys.Dispose();
    }

    private static void RequireKeys(OwnerKeys keys, EncryptedPlan plan)
    {
        var have = keys.Manifest.Requests.ToDictionary(entry => entry.Element, entry => entry.Level);
        var missing = plan.Keys.Where(key => !have.TryGetValue(key.Element, out var level) || level < key.Level).ToList();
        if (missing.Count > 0)
        {
            throw new RefusedException(
                $"{keys.Folder}: the program uses {plan.Keys.Count} evaluation keys, {missing.Count} of which are not there or end at too low a level. They were made for another task, "
                + "calibration or version: make keys with keygen in another folder (he.keys=…), and encrypt again.");
        }
    }
}
