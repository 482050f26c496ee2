namespace Nacelle.Specs;

public sealed partial record ImageConfig
{
    /// <summary>The document, its members in the order that Go's tools write them.</summary>
    /// <param name="docker">With what only Docker's config has: health check, triggers, shell.</param>
    public byte[] ToJson(bool docker = false) => SpecWriter.Write(this, (json, config) =>
    {
        json.Text("created", config.Created);
        json.Text("author", config.Author);
        json.Text("architecture", config.Architecture);
        json.Text("os", config.Os);
        json.Text("variant", config.Variant);
        json.Object("config", config.Config, (inner, run) => WriteRun(inner, run, docker));
        json.Object("rootfs", config.Rootfs, (inner, rootfs) =>
        {
            inner.Text("type", rootfs.Type);
            inner.Texts("diff_ids", [.. rootfs.DiffIds.Select(diffId => diffId.ToString())], always: true);
        });
        json.List("history", config.History, (inner, step) =>
        {
            inner.Text("created", step.Created);
            inner.Text("created_by", step.CreatedBy);
            inner.Text("author", step.Author);
            inner.Text("comment", step.Comment);
            inner.Flag("empty_layer", step.EmptyLayer ? true : null);
        });
    });

    static void WriteRun(SpecWriter json, ImageRunConfig run, bool docker)
    {
        json.Text("User", run.User.Length > 0 ? run.User : null);
        WriteSet(json, "ExposedPorts", run.ExposedPorts);
        json.Texts("Env", run.Env);
        json.Texts("Entrypoint", run.Entrypoint);
        json.Texts("Cmd", run.Cmd);
        WriteSet(json, "Volumes", run.Volumes);
        json.Text("WorkingDir", run.WorkingDir.Length > 0 ? run.WorkingDir : null);
        json.Map("Labels", run.Labels.Count > 0 ? new SortedDictionary<string, string>(run.Labels.ToDictionary(), StringComparer.Ordinal) : null);
        json.Text("StopSignal", run.StopSignal is { Length: > 0 } signal ? signal : null);
        if (docker)
        {
            json.Object("Healthcheck", run.Healthcheck, (inner, check) =>
            {
                inner.Texts("Test", check.Test);
                inner.Number("Interval", check.Interval > 0 ? check.Interval : null);
                inner.Number("Timeout", check.Timeout > 0 ? check.Timeout : null);
                inner.Number("StartPeriod", check.StartPeriod > 0 ? check.StartPeriod : null);
                inner.Number("StartInterval", check.StartInterval > 0 ? check.StartInterval : null);
                inner.Number("Retries", check.Retries > 0 ? check.Retries : null);
            });
            json.Texts("OnBuild", run.OnBuild);
            json.Texts("Shell", run.Shell);
        }
    }

    /// <summary>Go writes a set as an object whose members are all empty objects.</summary>
    static void WriteSet(SpecWriter json, string name, IReadOnlySet<string> set) =>
        json.Map(name, set.Count == 0 ? null : set.Order(StringComparer.Ordinal).ToDictionary(member => member, _ => new object()), (_, _) => { });
}
